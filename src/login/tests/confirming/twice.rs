//! Two sign-ins with one account wait at once: what is let go of one must not end the other.

use super::*;

/// T12: whichever way the first is let go, a provider that ends whole grants is not asked to while the second waits; the
/// account that an admin agrees to then lives.
#[tokio::test]
async fn what_is_let_go_does_not_end_what_still_waits() {
    for happens in [Happens::Kept, Happens::Cancelled, Happens::TooLate] {
        let host = Host::with("revocation = \"grant\"\n");
        let (logins, anns) = host.ann_waits().await;
        host.clock.jump(3_600);
        let (pasted, bobs) = host.signs_in(&logins, BOB, false, &Person::ben()).await;
        assert_eq!(pasted, Answered::Waits);
        match happens {
            Happens::Kept => drop(logins.refuse(&user(ADMIN), true, &anns).await.unwrap()),
            Happens::Cancelled => drop(logins.cancel(&user(ANN), false, &anns).await.unwrap()),
            _ => {
                host.clock.jump(CONFIRMING_LIFE - 3_600 + 1);
                logins.sweep().await.unwrap();
            }
        }
        assert!(host.login(&anns).unwrap().status.is_terminal(), "{happens:?}");
        assert_eq!(host.owed().len(), 1, "{happens:?}");
        host.front().retry_owed().await.unwrap();
        assert_eq!((host.owed().len(), host.authority.revocations()), (0, 0), "{happens:?}");
        over(logins.confirm(&user(ADMIN), true, &bobs, Host::seen(&logins, &bobs)).await.unwrap());
        assert_eq!(host.shared_account(), email(&Person::ben()));
    }
}
