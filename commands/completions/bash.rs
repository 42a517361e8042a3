//! Completion in bash, whose words are not ours.
//!
//! Owns the script for bash. bash ends a word at each `@`, `:` and `=` too, all of which stand in names of tenants: the script puts
//! the words together again, and gives back of each candidate only what bash itself will put in place. Works from bash 3.2 on.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use clap_complete::env::EnvCompleter;

const SCRIPT: &str = r#"_latchkey() {
    local rest="${COMP_LINE:0:COMP_POINT}" typed i last
    local -a words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        typed="${COMP_WORDS[i]}"
        last=$((${#words[@]} - 1))
        if ((last < 0)) || [[ "$rest" == [[:space:]]* ]]; then
            rest="${rest#"${rest%%[![:space:]]*}"}"
            words+=("")
            last=$((last + 1))
        fi
        if ((i == COMP_CWORD)); then typed="$rest"; fi
        words[last]="${words[last]}$typed"
        rest="${rest#"$typed"}"
    done
    local cut="${words[last]%"$2"}" candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("${candidate#"$cut"}")
    done < <(VARIABLE=bash INDEX=$last COMPLETER -- "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -ne 1 || "${COMPREPLY[0]}" != *[=/] ]]; then
        compopt +o nospace 2>/dev/null
    fi
}
complete -o nospace -o bashdefault -F _latchkey BIN"#;
const INDEX: &str = "LATCHKEY_COMPLETE_INDEX";

/// See above.
#[derive(Debug)]
pub struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        variable: &str,
        _name: &str,
        bin: &str,
        completer: &str,
        script: &mut dyn Write,
    ) -> Result<(), std::io::Error> {
        let filled = SCRIPT.replace("INDEX", INDEX).replace("VARIABLE", variable);
        writeln!(script, "{}", filled.replace("COMPLETER", completer).replace("BIN", bin))
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        here: Option<&Path>,
        answer: &mut dyn Write,
    ) -> Result<(), std::io::Error> {
        let index = std::env::var(INDEX).ok().and_then(|index| index.parse().ok()).unwrap_or_default();
        for candidate in clap_complete::engine::complete(command, words, index, here)? {
            writeln!(answer, "{}", candidate.get_value().to_string_lossy())?;
        }
        Ok(())
    }
}
