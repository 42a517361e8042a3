//! The addresses and names that are shipped, whole: what the stories cannot see, since they lead addresses elsewhere.

use std::path::Path;

use latchkey::config::{Config, client_id_variable};
use latchkey::provider::{BUILTINS, DeviceProtocol, Flow, PasteShape, Provider, RefreshProtocol};

/// What is known of the vendors, by hand. A line that is not here must not be in the descriptor.
const FACTS: &str = "\
antigravity: Antigravity
  issuer https://accounts.google.com
  authorize https://accounts.google.com/o/oauth2/v2/auth
  token https://oauth2.googleapis.com/token
  revoke https://oauth2.googleapis.com/revoke
  userinfo https://www.googleapis.com/oauth2/v2/userinfo
  client 1071006060591-tmhssin2h21lcre235vtolojh4g403ep.apps.googleusercontent.com
  scope https://www.googleapis.com/auth/cloud-platform
  scope https://www.googleapis.com/auth/userinfo.email
  scope https://www.googleapis.com/auth/userinfo.profile
  scope https://www.googleapis.com/auth/cclog
  scope https://www.googleapis.com/auth/experimentsandconfigs
  paste Url http://localhost:51121/oauth-callback
claude: Claude
  alias anthropic
  authorize https://claude.ai/oauth/authorize
  token https://platform.claude.com/v1/oauth/token
  client 9d1c250a-e61b-44d9-88ed-5944d1962f5e
  scope org:create_api_key
  scope user:profile
  scope user:inference
  scope user:sessions:claude_code
  scope user:mcp_servers
  scope user:file_upload
  paste CodeHashState https://platform.claude.com/oauth/code/callback
codex: OpenAI Codex
  issuer https://auth.openai.com
  authorize https://auth.openai.com/oauth/authorize
  token https://auth.openai.com/oauth/token
  device https://auth.openai.com/api/accounts/deviceauth/usercode
  poll https://auth.openai.com/api/accounts/deviceauth/token
  page https://auth.openai.com/codex/device
  exchange https://auth.openai.com/deviceauth/callback
  client app_EMoamEEZ73f0CkXaXp7hrann
  scope openid
  scope profile
  scope email
  scope offline_access
  paste Url http://localhost:1455/auth/callback
copilot: GitHub Copilot
  alias github-copilot
  token https://github.com/login/oauth/access_token
  device https://github.com/login/device/code
  userinfo https://api.github.com/user
  refresh https://api.github.com/copilot_internal/v2/token
  client Iv1.b507a08c87ecfe98
  scope read:user
gemini: Gemini
  alias google
  issuer https://accounts.google.com
  authorize https://accounts.google.com/o/oauth2/v2/auth
  token https://oauth2.googleapis.com/token
  revoke https://oauth2.googleapis.com/revoke
  userinfo https://www.googleapis.com/oauth2/v2/userinfo
  client 681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com
  scope https://www.googleapis.com/auth/cloud-platform
  scope https://www.googleapis.com/auth/userinfo.email
  scope https://www.googleapis.com/auth/userinfo.profile
  paste Code https://codeassist.google.com/authcode
github: GitHub
  alias gh
  authorize https://github.com/login/oauth/authorize
  token https://github.com/login/oauth/access_token
  device https://github.com/login/device/code
  userinfo https://api.github.com/user
grok: Grok
  alias xai
  issuer https://auth.x.ai
  token https://auth.x.ai/oauth2/token
  device https://auth.x.ai/oauth2/device/code
  client b1a00492-073a-47ea-816f-4c329264a828
  scope openid
  scope profile
  scope email
  scope offline_access
  scope grok-cli:access
  scope api:access
  paste Url http://127.0.0.1:56121/callback
kimi: Kimi
  alias moonshot
  token https://auth.kimi.com/api/oauth/token
  device https://auth.kimi.com/api/oauth/device_authorization
  client 17e5f671-d194-4dfb-9706-5516cb48c098
mcp:tracker: mcp:tracker
  paste Url http://127.0.0.1:8765/callback
minimax: MiniMax
  token https://account.minimax.io/oauth2/token
  device https://account.minimax.io/oauth2/device/code
  client 78257093-7e40-4613-99e0-527b14b39113
  scope group_id
  scope profile
  scope model.completion
oidc: OpenID Connect
  issuer https://id.acme.example
  scope openid
  scope profile
  scope email
  scope offline_access
  paste Url http://127.0.0.1:8765/callback
qwen: Qwen
  token https://chat.qwen.ai/api/v1/oauth2/token
  device https://chat.qwen.ai/api/v1/oauth2/device/code
  client f0304373b74a44d2b584a3fb70ca9e56
  scope openid
  scope profile
  scope email
  scope model.completion
";

fn configured(env: &dyn Fn(&str) -> Option<String>) -> Config {
    let mut tables = vec!["[access]\nmembers = { anyone = true }\n".to_owned()];
    for builtin in BUILTINS {
        tables.push(match builtin.name {
            "mcp" => "[providers.\"mcp:tracker\"]\nurl = \"https://mcp.acme.example/mcp\"\n".to_owned(),
            "oidc" => "[providers.oidc]\nissuer = \"https://id.acme.example\"\n".to_owned(),
            name => format!("[providers.{name}]\n"),
        });
        if builtin.text.contains("[terms_risk]") {
            tables.push("accept_terms_risk = true\n".to_owned());
        }
    }
    Config::parse(&tables.concat(), Path::new("latchkey.toml"), env).expect("every built-in is a provider")
}

fn told(provider: &Provider) -> String {
    let mut lines = vec![format!("{}: {}", provider.name, provider.title)];
    let mut line = |what: &str, value: &dyn ToString| lines.push(format!("  {what} {}", value.to_string()));
    provider.aliases.iter().for_each(|alias| line("alias", alias));
    provider.issuer.iter().for_each(|issuer| line("issuer", issuer));
    for (what, endpoint) in [
        ("authorize", &provider.authorization_endpoint),
        ("token", &provider.token_endpoint),
        ("device", &provider.device_authorization_endpoint),
        ("revoke", &provider.revocation_endpoint),
        ("register", &provider.registration_endpoint),
        ("userinfo", &provider.userinfo_endpoint),
    ] {
        if let Some(endpoint) = endpoint {
            line(what, endpoint);
        }
    }
    if let DeviceProtocol::UserCode(parts) = &provider.device {
        line("poll", &parts.poll_endpoint);
        line("page", &parts.verification_uri);
        line("exchange", &parts.exchange_redirect_uri);
    }
    if let RefreshProtocol::Exchange(parts) = &provider.refresh {
        line("refresh", &parts.endpoint);
    }
    provider.client_id.iter().for_each(|id| line("client", id));
    provider.scopes.iter().for_each(|scope| line("scope", scope));
    if provider.flows.contains(&Flow::Paste) {
        let shape: PasteShape = provider.paste;
        line(&format!("paste {shape:?}"), provider.redirect_uri.as_ref().expect("to paste by"));
    }
    lines.join("\n") + "\n"
}

/// VENDORS: every address, client, scope and redirect URI.
#[test]
fn what_is_shipped_is_what_is_known() {
    let config = configured(&|_| None);
    let shipped: Vec<String> = config.providers.iter().map(|provider| told(provider)).collect();
    let blocks = FACTS.split_inclusive('\n').fold(Vec::<String>::new(), |mut blocks, line| {
        match blocks.last_mut() {
            Some(block) if line.starts_with(' ') => block.push_str(line),
            _ => blocks.push(line.to_owned()),
        }
        blocks
    });
    for (shipped, known) in shipped.iter().zip(&blocks) {
        assert!(shipped == known, "shipped:\n{shipped}\nknown:\n{known}");
    }
    assert_eq!(shipped.len(), blocks.len());
}

/// VENDORS: every client id can be another, by the environment; every alias is understood, in any case.
#[test]
fn every_client_id_can_be_overridden_and_every_alias_is_understood() {
    let config = configured(&|name| name.ends_with("_CLIENT_ID").then(|| format!("by-{name}")));
    for provider in config.providers.iter() {
        assert_eq!(provider.client_id, Some(format!("by-{}", client_id_variable(&provider.name))));
    }
    for (alias, name) in [
        ("anthropic", "claude"),
        ("GitHub-Copilot", "copilot"),
        ("google", "gemini"),
        ("GH", "github"),
        ("xai", "grok"),
        ("moonshot", "kimi"),
    ] {
        assert_eq!(config.providers.find(alias).map(|found| found.name.as_str()), Some(name));
    }
}
