//! Codex's own device protocol: JSON both ways, and an authorization code with its verifier at the end.

use serde_json::json;

use crate::authorize::{Request, issue_code};
use crate::device::{self, Polled, Verdict};
use crate::incoming::{BodyKind, Incoming};
use crate::reply::Reply;
use crate::state::State;
use crate::token::challenge_of;

/// The client id that codex uses; registered from the start.
pub const CODEX_CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// The path of the redirect URI that a device code's exchange names.
pub(crate) const CALLBACK: &str = "/deviceauth/callback";

/// Answers the start: `{client_id}` becomes `{device_auth_id, user_code, interval}`.
pub(crate) fn start(state: &mut State, incoming: &Incoming) -> Reply {
    if incoming.method != "POST" || incoming.body != BodyKind::Json {
        return refusal(400, "invalid_request", "POST with a JSON body only");
    }
    let Some(client) = incoming.field("client_id").and_then(|id| state.client(id)) else {
        return refusal(401, "invalid_client", "unknown client");
    };
    let scopes = ["openid", "profile", "email", "offline_access"].map(str::to_owned);
    let (id, user_code) = device::open(state, "deviceauth", &client.id, scopes.to_vec());
    let mut body = json!({"device_auth_id": id, "user_code": user_code});
    if state.settings.codex_expires_at {
        let seconds =
            state.now() / 1000 + i64::try_from(state.settings.device_lifetime.as_secs()).unwrap_or(0);
        body["expires_at"] = timestamp(seconds).into();
    }
    device::finish(&mut body, state);
    Reply::json(200, &body)
}

/// Answers a poll: `{device_auth_id, user_code}` is pending, or yields a code and its verifier.
pub(crate) fn poll(state: &mut State, incoming: &Incoming) -> Reply {
    if incoming.method != "POST" || incoming.body != BodyKind::Json {
        return refusal(400, "invalid_request", "POST with a JSON body only");
    }
    let id = incoming.field("device_auth_id").unwrap_or_default();
    let typed = incoming.field("user_code").unwrap_or_default();
    if state.devices.get(id).is_none_or(|device| device.user_code != typed) {
        return refusal(404, "deviceauth_not_found", "no such device login");
    }
    let pending = state.settings.codex_pending_status;
    match device::look(state, id) {
        None | Some(Polled::Pending) => {
            refusal(pending, "deviceauth_authorization_pending", "not decided yet")
        }
        Some(Polled::TooFast) => refusal(429, "slow_down", "polled too fast"),
        Some(Polled::Denied) => refusal(403, "access_denied", "the person said no"),
        Some(Polled::Expired) => refusal(403, "deviceauth_expired", "the code has expired"),
        Some(Polled::Spent(_)) => refusal(403, "deviceauth_used", "the code was used before"),
        Some(Polled::Approved(person)) => {
            let verifier = state.secrets.fresh("verifier");
            let Some(device) = state.devices.get(id).cloned() else {
                return refusal(404, "deviceauth_not_found", "no such device login");
            };
            let request = Request {
                client: device.client,
                redirect_uri: state.settings.codex_callback.clone().unwrap_or_else(|| state.url(CALLBACK)),
                scopes: device.scopes,
                state: String::new(),
                challenge: challenge_of(&verifier),
                nonce: None,
            };
            let challenge = request.challenge.clone();
            let code = issue_code(state, request, &person);
            if let Some(device) = state.devices.get_mut(id) {
                device.verdict = Verdict::Spent(None);
            }
            Reply::json(
                200,
                &json!({"authorization_code": code, "code_challenge": challenge, "code_verifier": verifier}),
            )
        }
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"message": message, "type": "invalid_request_error", "code": code}}),
    )
    .named(code)
}

/// RFC 3339, in UTC.
fn timestamp(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days are counted from 1 March of year 0, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn timestamps_are_those_of_the_calendar() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_735_689_599), "2024-12-31T23:59:59Z");
    }
}
