//! The laws of the policy, as tables over one credential.

use super::*;
use crate::secret::Secret;

const NOW: UnixSeconds = 1_800_000_000;

pub(crate) fn provider() -> Provider {
    let text = "[providers.acme]\ntoken_endpoint = \"https://acme.example/token\"\nclient_id = \"c\"\n\
        device_authorization_endpoint = \"https://acme.example/device\"\nflows = [\"device\"]\nissuer = \"https://acme.example\"\n";
    let config =
        crate::config::Config::parse(text, std::path::Path::new("latchkey.toml"), &|_| None).unwrap();
    (**config.providers.iter().next().unwrap()).clone()
}

fn credential() -> Credential {
    let mut credential =
        Credential::new(CredentialKind::OAuth, "acme".parse().unwrap(), Secret::new("at"), NOW - 3_000);
    credential.refresh_token = Some(Secret::new("rt"));
    credential.expires_at = Some(NOW - 10);
    credential
}

fn with_intent(attempt: u32) -> Credential {
    let mut credential = credential();
    credential.intent = Some(Intent {
        credential_id: credential.id.clone(),
        generation: credential.generation,
        refresh_sha256: Secret::new("rt").hash(),
        attempt,
        sent_at: NOW - 100,
    });
    credential
}

fn step(credential: &Credential, want: &Want) -> Step {
    decide(credential, &provider(), want, NOW, true, false)
}

fn rejected() -> Want {
    Want { rejected: Some(Secret::new("at").hash()), ..Want::default() }
}

const FIRST: Step = Step::Refresh { attempt: 1, forced: false };

/// G24
#[test]
fn a_token_serves_while_it_lasts_long_enough() {
    for (left, min_valid, serves) in
        [(61, 60, true), (60, 60, true), (59, 60, false), (59, 0, true), (-1, 0, false)]
    {
        let mut credential = credential();
        credential.expires_at = Some(NOW + left);
        let want = Want { min_valid, ..Want::default() };
        assert_eq!(step(&credential, &want) == Step::Serve, serves, "{left} s left, {min_valid} wanted");
    }
    let mut endless = credential();
    endless.expires_at = None;
    assert_eq!(step(&endless, &Want::default()), Step::Serve);
}

/// G15: a minimum that no token of this provider reaches.
#[test]
fn a_generation_newer_than_at_arrival_will_do() {
    let mut credential = credential();
    credential.expires_at = Some(NOW + 30);
    let version = credential.version();
    let want = Want { min_valid: 7_200, arrived: Some(version), ..Want::default() };
    assert_eq!(step(&credential, &want), FIRST);
    credential.generation += 1;
    assert_eq!(step(&credential, &want), Step::Serve);
}

/// G15, S14: what a refresh has just brought will do for any minimum, and for nothing else than that.
#[test]
fn what_was_just_renewed_is_not_renewed_for_a_minimum() {
    let mut renewed = credential();
    renewed.generation = 2;
    let want = Want { min_valid: i64::MAX, ..Want::default() };
    for (obtained, left, expected) in [
        (-59, 3_600, Step::Serve),
        (60, 3_600, FIRST),
        (-60, 3_600, FIRST),
        (59, 3_600, Step::Serve),
        // Not worse than the ordinary minimum.
        (-20, 20, Step::Serve),
        (-20, 10, FIRST),
        (-20, 0, FIRST),
    ] {
        renewed.obtained_at = Some(NOW + obtained);
        renewed.expires_at = Some(NOW + left);
        assert_eq!(step(&renewed, &want), expected, "{obtained} {left}");
    }
    renewed.obtained_at = Some(NOW);
    renewed.expires_at = Some(NOW + 3_600);
    let forced = Step::Refresh { attempt: 1, forced: true };
    assert_eq!(step(&renewed, &Want { min_valid: i64::MAX, ..rejected() }), forced);
    assert_eq!(step(&renewed, &Want { min_valid: i64::MAX, ..Want::anew() }), forced);
    renewed.generation = 1;
    assert_eq!(step(&renewed, &want), FIRST);
}

/// G14, G15
#[test]
fn a_rejected_token_is_refreshed_once_a_minute_at_most() {
    let mut credential = credential();
    credential.expires_at = Some(NOW + 3_000);
    assert_eq!(step(&credential, &rejected()), Step::Refresh { attempt: 1, forced: true });
    for (forced_at, step_then) in [
        (NOW - 59, Step::Rejected),
        (NOW + 59, Step::Rejected),
        (NOW - 60, Step::Refresh { attempt: 1, forced: true }),
        (NOW + 61, Step::Refresh { attempt: 1, forced: true }),
    ] {
        credential.forced_at = Some(forced_at);
        assert_eq!(step(&credential, &rejected()), step_then, "{}", forced_at - NOW);
    }
    credential.access_token = Secret::new("another");
    assert_eq!(step(&credential, &rejected()), Step::Serve);
}

/// G16, S14
#[test]
fn a_back_off_is_honoured_unless_no_server_could_have_asked_for_it() {
    for (retry_at, expected) in [
        (NOW + 1, Step::BackOff { until: NOW + 1 }),
        (NOW, FIRST),
        (NOW + 86_460, Step::BackOff { until: NOW + 86_460 }),
        (NOW + 90_000, FIRST),
    ] {
        let mut credential = credential();
        credential.retry_at = Some(retry_at);
        assert_eq!(step(&credential, &Want::default()), expected, "{}", retry_at - NOW);
    }
}

/// S14: an hour back must not make a back-off of an hour, nor put off what is due ahead of need.
#[test]
fn a_back_off_that_was_written_down_in_the_future_holds_nobody() {
    for (written_at, holds) in
        [(NOW - 3_600, true), (NOW + 60, true), (NOW + 61, false), (NOW + 3_600, false)]
    {
        let until = written_at + 100;
        let mut credential = credential();
        (credential.updated_at, credential.retry_at) = (Some(written_at), Some(until));
        let holds = holds && until > NOW;
        let expected = if holds { Step::BackOff { until } } else { FIRST };
        assert_eq!(step(&credential, &Want::default()), expected, "{}", written_at - NOW);
        let point = refresh_point(&credential).unwrap();
        assert_eq!(
            due(&credential, NOW),
            Some(if holds { point.max(until) } else { point.max(until.min(NOW)) })
        );

        credential.state = CredentialState::NeedsLogin;
        assert_eq!(due(&credential, NOW), Some(if holds { until } else { until.min(NOW) }));
        assert_eq!(step(&credential, &Want::default()) == FIRST, !holds, "the probe is due with it");
    }
}

/// G17, G18
#[test]
fn a_dead_credential_is_tried_by_nobody_but_for_one_probe() {
    let mut credential = credential();
    credential.state = CredentialState::NeedsLogin;
    assert_eq!(step(&credential, &Want::default()), Step::NeedsLogin);
    credential.retry_at = Some(NOW + 1);
    assert_eq!(step(&credential, &Want::default()), Step::NeedsLogin);
    credential.retry_at = Some(NOW);
    assert_eq!(step(&credential, &Want::default()), FIRST);
}

/// G19
#[test]
fn an_unknown_attempt_is_followed_by_one_more_where_that_is_safe() {
    let want = Want::default();
    assert_eq!(step(&with_intent(1), &want), Step::Refresh { attempt: 2, forced: false });
    assert_eq!(step(&with_intent(2), &want), Step::MarkUncertain);

    let mut still_serving = with_intent(1);
    still_serving.expires_at = Some(NOW + 30);
    assert_eq!(
        step(&still_serving, &want),
        Step::Hold { until: NOW + 30 },
        "a strict server might end it all"
    );
    assert_eq!(step(&still_serving, &rejected()), Step::Refresh { attempt: 2, forced: true });
    let lenient = Provider { reuse: Reuse::Lenient, ..provider() };
    assert_eq!(
        decide(&still_serving, &lenient, &want, NOW, true, false),
        Step::Refresh { attempt: 2, forced: false }
    );

    assert_eq!(decide(&with_intent(1), &provider(), &want, NOW, true, true), Step::GiveUp);
    assert_eq!(decide(&with_intent(1), &provider(), &want, NOW, false, false), FIRST, "its sender may live");

    let mut uncertain = with_intent(2);
    uncertain.state = CredentialState::Uncertain;
    uncertain.retry_at = Some(NOW + 5);
    assert_eq!(step(&uncertain, &want), Step::BackOff { until: NOW + 5 });
    uncertain.retry_at = Some(NOW - 5);
    assert_eq!(step(&uncertain, &want), Step::Refresh { attempt: 3, forced: false });
}

/// G19, S14: a try of an uncertain credential that was killed is written down, and waited for, before the next.
#[test]
fn each_try_of_an_uncertain_credential_has_a_back_off_of_its_own() {
    let want = Want::default();
    for (sent_at, expected) in [
        (NOW - 6, Step::Refresh { attempt: 4, forced: false }),
        (NOW - 5, Step::MarkUncertain),
        (NOW - 1, Step::MarkUncertain),
        (NOW + 60, Step::MarkUncertain),
        (NOW + 61, Step::Refresh { attempt: 4, forced: false }),
    ] {
        let mut uncertain = with_intent(3);
        uncertain.state = CredentialState::Uncertain;
        uncertain.retry_at = Some(NOW - 5);
        uncertain.intent.as_mut().unwrap().sent_at = sent_at;
        assert_eq!(step(&uncertain, &want), expected, "sent {} s from now", sent_at - NOW);
    }
}

/// G19: nor is what still serves put at risk by a third try.
#[test]
fn an_uncertain_credential_that_serves_is_held() {
    let mut uncertain = with_intent(2);
    uncertain.state = CredentialState::Uncertain;
    uncertain.retry_at = Some(NOW - 5);
    uncertain.expires_at = Some(NOW + 30);
    assert_eq!(step(&uncertain, &Want::default()), Step::Hold { until: NOW + 30 });
    assert_eq!(step(&uncertain, &rejected()), Step::Refresh { attempt: 3, forced: true });
    let lenient = Provider { reuse: Reuse::Lenient, ..provider() };
    assert_eq!(
        decide(&uncertain, &lenient, &Want::default(), NOW, true, false),
        Step::Refresh { attempt: 3, forced: false }
    );
}

/// G19: an intent of other tokens says nothing about these.
#[test]
fn an_intent_counts_for_exactly_its_tokens() {
    let mut other_generation = with_intent(1);
    other_generation.generation += 1;
    let mut other_token = with_intent(1);
    other_token.refresh_token = Some(Secret::new("rt-2"));
    for credential in [other_generation, other_token] {
        assert_eq!(step(&credential, &Want::default()), FIRST);
    }
}

/// G30
#[test]
fn another_configuration_than_the_one_of_issue_is_refused() {
    let want = Want::default();
    let issue = |set: fn(&mut Credential)| {
        let mut credential = credential();
        set(&mut credential);
        step(&credential, &want)
    };
    assert_eq!(issue(|c| c.client_id = Some("x".to_owned())), Step::Misconfigured { what: "client_id" });
    assert_eq!(
        issue(|c| c.token_endpoint = Some("https://evil.example/token".to_owned())),
        Step::Misconfigured { what: "token_endpoint" }
    );
    assert_eq!(issue(|c| c.issuer = Some("https://x".to_owned())), Step::Misconfigured { what: "issuer" });
    assert_eq!(issue(|c| c.client_id = Some("c".to_owned())), FIRST);
}

/// G24
#[test]
fn the_refresh_point_lies_between_three_quarters_and_seventeen_twentieths() {
    let mut points = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let mut credential =
            Credential::new(CredentialKind::OAuth, "acme".parse().unwrap(), Secret::new("at"), NOW);
        credential.expires_at = Some(NOW + 10_000);
        let point = refresh_point(&credential).unwrap() - NOW;
        assert!((7_500..=8_500).contains(&point), "{point}");
        points.insert(point);
        let want = Want::ahead();
        assert!(
            satisfies(&credential, &want, NOW + point - 1) && !satisfies(&credential, &want, NOW + point)
        );
    }
    assert!(points.len() > 10, "tenants are spread");
}

/// G17: the probe of a dead one goes out although its access token serves; whoever asks for that token gets it.
#[test]
fn a_probe_does_not_wait_for_the_access_token_to_end() {
    let mut dead = credential();
    (dead.state, dead.expires_at, dead.obtained_at) =
        (CredentialState::NeedsLogin, Some(NOW + 10_000), Some(NOW));
    let (provider, plain) = (provider(), Want::default());
    for (retry_at, ahead) in [
        (Some(NOW), Step::Refresh { attempt: 1, forced: false }),
        (Some(NOW + 1), Step::NeedsLogin),
        (None, Step::NeedsLogin),
    ] {
        dead.retry_at = retry_at;
        assert_eq!(decide(&dead, &provider, &Want::ahead(), NOW, true, false), ahead, "{retry_at:?}");
        assert_eq!(decide(&dead, &provider, &plain, NOW, true, false), Step::Serve);
    }
}

/// G16
#[test]
fn back_off_doubles_up_to_its_cap() {
    let waits: Vec<_> = (1..=10).map(|failures| back_off(failures, BACK_OFF_CAP, 0.0)).collect();
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    assert_eq!(back_off(u32::MAX, BACK_OFF_CAP, 1.0), 375);
}

/// G10: the wait for the lock covers all that a holder may do.
#[test]
fn the_lock_is_waited_for_as_long_as_a_holder_may_need() {
    let exchanges = 2 * EXCHANGE_BOUND.as_secs();
    // A rescue file's save, then an intent and an outcome for each of two exchanges.
    let writes = 5 * STORE_WAIT.as_secs();
    // The token endpoint may have to be discovered first.
    assert_eq!(LOCK_WAIT.as_secs(), DISCOVERY_BOUND.as_secs() + exchanges + writes + 10);
    assert!(CALLER_DEADLINE < LOCK_WAIT);
}

/// G19: who counts as a sibling.
#[tokio::test]
async fn a_sibling_is_newer_and_of_the_same_client_and_account() {
    use crate::credential::Account;
    use crate::store::Store;
    use crate::testing::{Host, key};

    let host = Host::new();
    let mut lost = with_intent(1);
    lost.account = Account::new(Some("ada"), None);
    lost.client_id = Some("c".to_owned());
    lost.token_endpoint = Some("https://acme.example/token".to_owned());
    let sibling = |change: fn(&mut Credential)| {
        let mut other = lost.clone();
        other.id = "sibling".to_owned();
        other.intent = None;
        other.created_at = Some(NOW - 50);
        // Another provider's name for the same server and client.
        other.provider = "acme-too".parse().unwrap();
        change(&mut other);
        other
    };
    for (what, change, counts) in [
        ("the same", (|_| {}) as fn(&mut Credential), true),
        ("older", |other| other.created_at = Some(NOW - 101), false),
        ("another client", |other| other.client_id = Some("d".to_owned()), false),
        ("another server", |other| other.token_endpoint = Some("https://x.example/token".to_owned()), false),
        ("another account", |other| other.account = Account::new(Some("ben"), None), false),
    ] {
        host.put(&key("acme-too"), sibling(change)).await;
        let document = host.store().snapshot().unwrap();
        assert_eq!(newer_sibling(&document, &key("acme"), &lost, NOW), counts, "{what}");
        // S14: the clock was set back, and the intent's stamp no longer says what came after it.
        let any = counts || what == "older";
        let hour_before = lost.open_intent().unwrap().sent_at - 3_600;
        assert_eq!(newer_sibling(&document, &key("acme"), &lost, hour_before), any, "{what}, an hour back");
    }
}

/// G15, G19: a wish for something newer is forced as a rejection is, within its minute too; but it does not speak against a
/// token that serves, and so makes no second try of an unknown one.
#[test]
fn a_wish_is_a_forced_refresh_and_weighs_less_than_a_rejection() {
    let serving = |held: Credential| Credential { expires_at: Some(NOW + 600), ..held };
    let held = serving(credential());
    let wish = Want { arrived: Some(held.version()), ..Want::anew() };
    let forced = Step::Refresh { attempt: 1, forced: true };
    assert_eq!((step(&held, &wish), step(&held, &Want::anew())), (forced.clone(), forced));
    let lately = Credential { forced_at: Some(NOW - 59), ..held.clone() };
    assert_eq!(step(&lately, &wish), Step::Rejected);
    let newer = Credential { generation: held.generation + 1, ..lately };
    assert_eq!(step(&newer, &wish), Step::Serve, "it came meanwhile");
    let unknown = serving(with_intent(1));
    let wish = Want { arrived: Some(unknown.version()), ..Want::anew() };
    assert_eq!(
        (step(&unknown, &wish), step(&unknown, &rejected())),
        (Step::Hold { until: unknown.expires_at.unwrap() }, Step::Refresh { attempt: 2, forced: true })
    );
    let endless = Credential { expires_at: None, ..held };
    assert_eq!(step(&endless, &Want::anew()), Step::Refresh { attempt: 1, forced: true });
}
