//! `--take`: after it, a refresh token has one owner.

use super::*;

/// I9, F7: with --take the file keeps everything but the refresh tokens, a copy is kept first, and a link is followed. It is
/// left alone without --yes, and where a record was refused its token stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_taken_refresh_token_has_one_owner() {
    let house = House::with_codex();
    let tokens = house.mint(&Person::ada());
    let file = house.file("real/auth.json", &codex_file(&tokens));
    std::fs::create_dir(house.home.path().join(".codex")).unwrap();
    std::os::unix::fs::symlink(&file, house.home.path().join(".codex/auth.json")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    let before = std::fs::read_to_string(&file).unwrap();
    let (code, _, said) = house.told(&["codex", "--take"]);
    assert_eq!((code, std::fs::read_to_string(&file).unwrap()), (Some(0), before.clone()));
    assert!(said.contains("with --yes, the refresh tokens in ~/.codex/auth.json would be blanked"), "{said}");

    let (code, shown, said) = house.told(&["codex", "--take", "--yes"]);
    assert_eq!(code, Some(0), "{shown} {said}");
    assert!(said.contains("are blanked. ~/real/auth.json.imported has the file as it was"), "{said}");
    let expected = before.replace(&tokens.refresh, "");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    let aside = house.home.path().join("real/auth.json.imported");
    assert_eq!(std::fs::read_to_string(&aside).unwrap(), before);
    assert_eq!(std::fs::metadata(&aside).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::symlink_metadata(house.home.path().join(".codex/auth.json")).unwrap().is_symlink());

    // There already, and asked to take it only now; the copy from before has the same bytes, so it is the one.
    std::fs::write(&file, &before).unwrap();
    assert_eq!(house.told(&["codex", "--take", "--yes"]).0, Some(0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(
        std::fs::read_dir(house.home.path().join("real")).unwrap().count(),
        2,
        "one copy, and the file"
    );

    let (taken, refused) = (house.mint(&Person::ada()), house.mint(&Person::ben()));
    let both = json!({ "acme": record(&taken), "codex": record(&refused) });
    let mut both = both;
    both["codex"]["provider"] = "codex".into();
    let file = house.file("both.json", &both);
    let (code, shown, said) = house.told(&["openab", &text(&file), "--take", "--yes"]);
    assert_eq!(code, Some(5), "{shown} {said}");
    let left = std::fs::read_to_string(&file).unwrap();
    assert!(!left.contains(&taken.refresh) && left.contains(&refused.refresh), "{shown}");
}

/// I9: that nobody reads what was done leaves the tokens with no second owner.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_output_leaves_no_token_with_two_owners() {
    let house = House::with_codex();
    let tokens = house.mint(&Person::ada());
    let file = house.file("auth.json", &codex_file(&tokens));
    let mut command = house.host.latchkey(&["import", "codex", &text(&file), "--take", "--yes"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    assert!(house.host.stored("codex").is_some());
    assert!(!std::fs::read_to_string(&file).unwrap().contains(&tokens.refresh), "it is taken");
}
