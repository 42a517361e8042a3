//! Signing in by pasting an answer.

use super::*;

/// T2, T3, T5, C9
#[tokio::test]
async fn a_pasted_answer_ends_with_a_stored_credential() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    assert_eq!(
        logins.paste(&user("42"), &login.id, &format!("  {answer}\n")).await.unwrap(),
        Answered::Succeeded
    );
    assert_eq!(host.held("acme").unwrap().account.email.as_deref(), Some(&*Person::ada().email));
    let over = logins.paste(&user("42"), &login.id, &answer).await;
    assert!(matches!(over, Err(PasteError::Over(LoginStatus::Succeeded))), "{over:?}");
    assert_eq!(host.authority.exchanges(), 1);
}

/// C11, T2, T3: what is not this login's answer consumes nothing.
#[tokio::test]
async fn a_wrong_answer_or_a_stranger_consumes_nothing() {
    let host = Host::new();
    let logins = host.logins();
    let mine = host.paste_login(&logins, "42").await;
    let theirs = host.paste_login(&logins, "43").await;
    let (answer, other) =
        (host.answer(&mine, &Person::ada()).await, host.answer(&theirs, &Person::ben()).await);
    assert!(matches!(logins.paste(&user("43"), &mine.id, &answer).await, Err(PasteError::NotYours)));
    let elsewhere = answer.replace("127.0.0.1", "127.0.0.2");
    for bad in ["", "no", "https://x/?code=1&state=2", &*other, &*elsewhere] {
        let refused = logins.paste(&user("42"), &mine.id, bad).await;
        assert!(matches!(refused, Err(PasteError::Answer(_))), "{bad}: {refused:?}");
    }
    assert!(matches!(
        logins.paste(&user("42"), &"unknown".to_owned(), &answer).await,
        Err(PasteError::Unknown)
    ));
    assert_eq!(host.authority.exchanges(), 0);
    assert_eq!(logins.paste(&user("42"), &mine.id, &answer).await.unwrap(), Answered::Succeeded);
}

/// C12
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_submits_of_one_code_make_one_exchange() {
    let host = Host::new();
    let machines = [host.logins(), host.logins()];
    let login = host.paste_login(&machines[0], "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    let mut submits = JoinSet::new();
    for number in 0..100 {
        let (machine, id, answer) = (machines[number % 2].clone(), login.id.clone(), answer.clone());
        submits.spawn(async move { machine.paste(&user("42"), &id, &answer).await });
    }
    let results = submits.join_all().await;
    let won = results.iter().filter(|result| matches!(result, Ok(Answered::Succeeded))).count();
    let told = results
        .iter()
        .filter(|result| matches!(result, Err(PasteError::InUse | PasteError::Over(LoginStatus::Succeeded))))
        .count();
    assert_eq!((host.authority.exchanges(), won, told), (1, 1, 99));
}

/// C12: whoever looked before another spent the answer is told so by the durable claim, since no lock is left in the way.
#[tokio::test]
async fn a_look_from_before_the_claim_spends_nothing() {
    let host = Host::new();
    let (logins, other) = (host.logins(), host.logins());
    let seen = host.paste_login(&logins, "42").await;
    let answer = host.answer(&seen, &Person::ada()).await;
    assert_eq!(other.paste(&user("42"), &seen.id, &answer).await.unwrap(), Answered::Succeeded);
    assert_eq!(seen.status, LoginStatus::Pending, "as it stood before");
    let late = logins.0.submit(&seen, Secret::new("another-code")).await;
    assert!(matches!(late, Err(PasteError::Over(LoginStatus::Succeeded))), "{late:?}");
    assert_eq!(host.authority.exchanges(), 1);
}

/// C12
#[tokio::test]
async fn what_could_not_be_sent_can_be_pasted_again() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    host.authority.go_down();
    assert!(matches!(logins.paste(&user("42"), &login.id, &answer).await, Err(PasteError::NotSent(_))));
    assert_eq!(host.login(&login.id).unwrap().status, LoginStatus::Pending);
    host.authority.come_back();
    assert_eq!(logins.paste(&user("42"), &login.id, &answer).await.unwrap(), Answered::Succeeded);
}

/// C9, T8
#[tokio::test]
async fn a_reply_without_a_token_fails_the_login_and_writes_no_credential() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    host.authority.set(|settings| settings.reply.no_access_token = true);
    assert!(matches!(logins.paste(&user("42"), &login.id, &answer).await, Ok(Answered::Failed(_))));
    assert!(host.held("acme").is_none());
    assert_eq!(host.login(&login.id).unwrap().status, LoginStatus::Failed);
}
