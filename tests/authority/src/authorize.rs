//! The authorization endpoint: the sign-in page, and the answer it sends back (RFC 6749, 4.1; RFC 7636; RFC 9207).
//!
//! What must hold: nothing is ever sent to a redirect URI that is not the client's; PKCE with S256 and a state
//! are demanded of everybody.

use url::Url;

use crate::incoming::Incoming;
use crate::ledger::{GrantId, millis};
use crate::pages;
use crate::person::Person;
use crate::reply::Reply;
use crate::settings::Answer;
use crate::state::State;

/// A checked authorization request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub client: String,
    pub redirect_uri: String,
    pub scopes: Vec<String>,
    pub state: String,
    pub challenge: String,
    pub nonce: Option<String>,
}

/// An authorization code.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub request: Request,
    pub person: Person,
    pub expires: i64,
    /// The grant that the code was spent on.
    pub spent: Option<GrantId>,
}

/// Answers a request to the authorization endpoint.
pub(crate) fn answer(state: &mut State, incoming: &Incoming) -> Reply {
    match incoming.method.as_str() {
        "GET" => view(state, incoming),
        "POST" => decide(state, incoming),
        _ => Reply::empty(405),
    }
}

fn view(state: &mut State, incoming: &Incoming) -> Reply {
    let refuse = |why: &str| pages::problem(&state.settings, 400, why).named("invalid_request");
    if let Some(name) = Incoming::duplicate(&incoming.query) {
        return refuse(&format!("The parameter {name} was sent twice."));
    }
    let Some(client) = incoming.parameter("client_id").and_then(|id| state.client(id)) else {
        return refuse("The application is not registered here.");
    };
    let Some(redirect_uri) = incoming.parameter("redirect_uri") else {
        return refuse("The application did not say where to send you back to.");
    };
    let any = state.settings.any_client && Url::parse(redirect_uri).is_ok();
    if !any && !client.may_redirect_to(redirect_uri) {
        return refuse("The application asked to send you to an address that it has not registered.");
    }
    match check(incoming, &client.id, redirect_uri) {
        Ok(request) => {
            state.secrets.note(&request.state);
            let handle = state.secrets.fresh("page");
            let page =
                pages::sign_in(&state.settings, &request, &handle, pages::remembered(incoming).as_ref());
            state.requests.insert(handle, request);
            Reply::page(200, page)
        }
        Err((code, why)) => {
            let sent = incoming.parameter("state").unwrap_or_default();
            let fields = [("error", code), ("error_description", why)];
            Reply::redirect(&back(state, redirect_uri, &fields, sent)).named(code)
        }
    }
}

fn check(
    incoming: &Incoming,
    client: &str,
    redirect_uri: &str,
) -> Result<Request, (&'static str, &'static str)> {
    if incoming.parameter("response_type") != Some("code") {
        return Err(("unsupported_response_type", "response_type must be code"));
    }
    let state = incoming.parameter("state").ok_or(("invalid_request", "state is missing"))?;
    let challenge =
        incoming.parameter("code_challenge").ok_or(("invalid_request", "code_challenge is missing"))?;
    if incoming.parameter("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "code_challenge_method must be S256"));
    }
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if challenge.len() != 43 || !challenge.bytes().all(base64url) {
        return Err(("invalid_request", "code_challenge is not a SHA-256 in base64url"));
    }
    let scopes = incoming.parameter("scope").unwrap_or_default();
    Ok(Request {
        client: client.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        state: state.to_owned(),
        challenge: challenge.to_owned(),
        nonce: incoming.parameter("nonce").map(str::to_owned),
    })
}

fn decide(state: &mut State, incoming: &Incoming) -> Reply {
    let handle = incoming.field("request").unwrap_or_default();
    let Some(request) = state.requests.get(handle).cloned() else {
        return pages::problem(&state.settings, 400, "This page is out of date. Start again.");
    };
    if incoming.field("decision") != Some("approve") {
        state.requests.remove(handle);
        let fields = [("error", "access_denied"), ("error_description", "the person said no")];
        let location = back(state, &request.redirect_uri, &fields, &request.state);
        return Reply::redirect(&location).named("access_denied");
    }
    let Some(person) = pages::chosen(&state.settings, incoming) else {
        return pages::problem(
            &state.settings,
            400,
            "Choose an account, or give a name and an e-mail address.",
        );
    };
    state.requests.remove(handle);
    let code = issue_code(state, request.clone(), &person);
    let landing = match state.settings.answer {
        Answer::Redirect => request.redirect_uri,
        Answer::CodeHashState | Answer::BareCode => state.url("/code"),
    };
    let location = back(state, &landing, &[("code", &code)], &request.state);
    Reply::redirect(&location).header("set-cookie", &pages::remember(&person))
}

/// A new authorization code for an approved request.
pub(crate) fn issue_code(state: &mut State, request: Request, person: &Person) -> String {
    let code = state.secrets.fresh("code");
    let expires = state.now() + millis(state.settings.code_lifetime);
    state.codes.insert(code.clone(), Code { request, person: person.clone(), expires, spent: None });
    code
}

/// The page that shows a code to copy.
pub(crate) fn code_page(state: &State, incoming: &Incoming) -> Reply {
    let Some(code) = incoming.parameter("code") else {
        let why = incoming.parameter("error").unwrap_or("There is no code in this address.");
        return pages::problem(&state.settings, 400, why);
    };
    let sent = incoming.parameter("state").unwrap_or_default();
    let text = match state.settings.answer {
        Answer::BareCode => code.to_owned(),
        Answer::CodeHashState | Answer::Redirect => format!("{code}#{sent}"),
    };
    Reply::page(200, pages::copy_code(&state.settings, &text))
}

fn back(state: &State, redirect_uri: &str, fields: &[(&str, &str)], sent: &str) -> String {
    let Ok(mut url) = Url::parse(redirect_uri) else {
        return redirect_uri.to_owned();
    };
    let mut query = url.query_pairs_mut();
    query.extend_pairs(fields);
    if !sent.is_empty() {
        query.append_pair("state", sent);
    }
    if state.settings.iss_in_answer {
        query.append_pair("iss", &state.issuer());
    }
    drop(query);
    url.into()
}
