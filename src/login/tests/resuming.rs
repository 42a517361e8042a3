//! What is left of a process that died.

use super::*;

/// S12, S13
#[tokio::test]
async fn what_a_dead_process_left_is_taken_up_or_ended() {
    let host = Host::new();
    let dead = host.logins();
    let device = dead.start(request("42", LoginKind::Device)).await.unwrap();
    let login = host.paste_login(&dead, "43").await;
    let answer = host.answer(&login, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::Delay(Duration::from_mins(1)));
    let exchanging = tokio::spawn({
        let (dead, id) = (dead.clone(), login.id.clone());
        async move { dead.paste(&user("43"), &id, &answer).await }
    });
    assert!(host.authority.eventually(LONG, |a| a.exchanges() == 1).await);

    let next = host.logins();
    assert!(next.take_up().await.unwrap().is_empty(), "while the locks are held, nothing is taken up");
    let held = host.store().try_login_lock(&user("42"), &"acme".parse().unwrap()).unwrap();
    assert!(held.is_none());

    // The process dies: its locks are free. (Dropping the runtime's tasks is the nearest to that here; across real
    // processes it is shown in tests/.)
    drop(device.handover);
    let taken = next.take_up().await.unwrap();
    assert_eq!(taken.iter().map(|one| &one.login.id).collect::<Vec<_>>(), [&device.login.id]);
    assert_eq!(taken[0].login.interval, host.login(&device.login.id).unwrap().interval);
    exchanging.abort();
}

/// S13
#[tokio::test]
async fn an_interrupted_start_or_exchange_is_ended() {
    let host = Host::new();
    let logins = host.logins();
    for (status, reason) in
        [(LoginStatus::Starting, EndReason::NotStarted), (LoginStatus::Exchanging, EndReason::Interrupted)]
    {
        let login = host.paste_login(&logins, "42").await;
        let store = host.store();
        let id = login.id.clone();
        update(&*store, Touches::nothing().and_all_logins(), move |view| {
            let mut login = view.login_by_id(&id).unwrap();
            login.status = status;
            view.put_login(login);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
        assert!(logins.take_up().await.unwrap().is_empty());
        let ended = host.login(&login.id).unwrap();
        assert_eq!((ended.status, ended.reason), (LoginStatus::Failed, Some(reason)));
    }
}
