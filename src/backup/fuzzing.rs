//! What must hold for whatever text stands where a copy is expected.

use super::plan::plan;
use super::{Wish, print, read};
use crate::secret::Secret;
use crate::store::Document;

/// F5: a copy or an error; what is read and printed again is the same; and a copy of what is here changes nothing here.
///
/// # Panics
/// When one of these does not hold.
pub fn export(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(copy) = read(&Secret::new(text)) else { return };
    let again = print(&copy.entries, copy.header.created_at).and_then(|(_, text)| read(&text));
    let Ok(again) = again else { panic!("what was read cannot be printed and read") };
    assert!(again.header.counts == copy.header.counts, "printing changes how many entries there are");
    let entries = |document: &Document| -> Vec<String> {
        let kept = document.raw_entries().filter(|entry| entry.section != "pending");
        kept.map(|entry| format!("{} {:?} {}", entry.section, entry.key, entry.text)).collect()
    };
    assert!(entries(&again.entries) == entries(&copy.entries), "printing changes an entry");
    for now in [i64::MIN, 0, i64::MAX] {
        for replace in [false, true] {
            let wish = Wish { only: Vec::new(), replace };
            let (made, coming) = plan(&copy, &Document::empty(), &wish, now);
            let rest = [made.threads, made.revocations, made.unknown].map(|rest| rest.restored);
            assert!(coming.len() == made.restored() + rest.iter().sum::<usize>(), "a plan miscounts");
            let (made, coming) = plan(&copy, &copy.entries, &wish, now);
            assert!(made.is_empty() && coming.is_empty(), "a copy of what is here changes it");
        }
    }
}
