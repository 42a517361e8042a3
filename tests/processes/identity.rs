//! Whose a refreshed credential is: what comes back for somebody else, or does not belong to what is stored by then.

use latchkey::credential::{Account, Credential, CredentialKind, CredentialState};
use latchkey::secret::Secret;
use latchkey_test_authority::{Endpoint, Person};

use crate::host::{key, printed, said};
use crate::superseded::{TENANT, arrived, host, minted, put};

/// I4: by its account or its issuer. In every process the old tokens stay, nobody sends them again, and the reason is told;
/// it takes one write, so that nothing can come between.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_comes_back_for_somebody_else_is_told_to_everybody_and_not_stored() {
    for by_issuer in [false, true] {
        let host = host().await;
        let mut before = host.stored(TENANT).unwrap();
        if by_issuer {
            host.authority.set(|settings| settings.issuer_path = "/elsewhere".to_owned());
            before.id_token = minted(&host).id_token.map(Secret::from);
            host.authority.set(|settings| settings.issuer_path = String::new());
            put(&host, Some(before.clone())).await;
        } else {
            host.authority.set(|settings| settings.refresh_as = Some(Person::ben()));
        }
        let why = "the provider answered a refresh with another account's tokens";
        // The intent is the first write, the end the second; a third would fail.
        let mut first = host.latchkey(&["token", TENANT]);
        let first = first.env("FAILPOINTS", "write-temporary=2*off->return(28)").output().unwrap();
        let second = host.latchkey(&["token", TENANT]).output().unwrap();
        for output in [&first, &second] {
            assert_eq!((output.status.code(), printed(output)), (Some(3), String::new()), "{}", said(output));
            assert!(said(output).contains(why), "{}", said(output));
        }
        assert!(
            said(&first).contains("refresh refused: another account"),
            "the audit line: {}",
            said(&first)
        );
        let stored = host.stored(TENANT).unwrap();
        let expected = Credential {
            state: CredentialState::NeedsLogin,
            last_error: Some(why.to_owned()),
            updated_at: stored.updated_at,
            ..before
        };
        assert_eq!(stored, expected, "no token, and no account, is another's");
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
        let status = printed(&host.latchkey(&["status"]).output().unwrap());
        assert!(status.contains("needs sign-in") && status.contains(why), "{status}");
        host.authority.assert_no_secret_in(&format!("{}{}{status}", said(&first), said(&second)));
    }
}

/// I8, G30: an entry that names another provider is shown to nobody: not to the provider whose slot it lies in.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_of_another_provider_is_not_sent() {
    let host = host().await;
    let mut foreign = host.stored(TENANT).unwrap();
    foreign.provider = key("other").provider;
    put(&host, Some(foreign)).await;
    let output = host.latchkey(&["token", TENANT]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("another provider"), "{}", said(&output));
    assert_eq!(host.authority.requests().len(), 0);
}

/// I4, I8: somebody edits the entry by hand in the middle of a refresh, and leaves id and generation. The reply is not put
/// over what it does not belong to, and the spent refresh token is not sent again.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_edited_in_the_middle_is_not_overwritten_nor_sent_again() {
    for to_a_key in [true, false] {
        let host = host().await;
        let gate = host.authority.hold_reply(Endpoint::Token);
        let waiting = host.latchkey(&["token", TENANT, "--timeout", "50s"]).spawn().unwrap();
        arrived(&host, &gate).await;
        let mut edited = host.stored(TENANT).unwrap();
        if to_a_key {
            edited.kind = CredentialKind::Static;
            edited.access_token = Secret::new("sk-operators");
            edited.refresh_token = None;
            edited.expires_at = None;
        } else {
            edited.account = Account::new(Some("ben"), None);
        }
        put(&host, Some(edited.clone())).await;
        gate.release();
        let output = waiting.wait_with_output().unwrap();
        let held = host.stored(TENANT).unwrap();
        if to_a_key {
            assert_eq!((output.status.code(), printed(&output)), (Some(0), "sk-operators".to_owned()));
            // That it was used today is noted behind the token's back.
            edited.last_used_at = held.last_used_at;
        } else {
            assert_eq!(
                (output.status.code(), printed(&output)),
                (Some(3), String::new()),
                "{}",
                said(&output)
            );
            edited.state = CredentialState::NeedsLogin;
            edited.intent = None;
            edited.last_error = held.last_error.clone();
            assert!(held.last_error.as_ref().unwrap().contains("another account"), "{held:?}");
        }
        edited.updated_at = held.updated_at;
        assert_eq!(held, edited);
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0), "{}", said(&output));
    }
}
