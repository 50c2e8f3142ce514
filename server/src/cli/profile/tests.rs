#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

fn write(folder: &Path, text: &str, mode: u32) -> PathBuf {
    let path = folder.join("profile.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn failed(named: Option<&Path>) -> Failure {
    Profile::find(named).err().unwrap()
}

fn refused(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), text, 0o600);
    failed(Some(folder.path())).for_people()
}

#[test]
fn a_folder_stands_for_its_profile_and_paths_are_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ca.pem"), "PEM").unwrap();
    fs::write(folder.path().join("client.pem"), "CERTIFICATE").unwrap();
    fs::write(folder.path().join("client.key"), "KEY").unwrap();
    write(
        folder.path(),
        "server = 'https://127.0.0.1:1'\nca = 'ca.pem'\ncertificate = 'client.pem'\nkey = 'client.key'\nsystem_name = 's'\ntoken = 't'\ndata_dir = 'd'\n[defaults]\npurpose = 'p'\njustification = 'because'\n",
        0o600,
    );
    let profile = Profile::find(Some(folder.path())).unwrap();
    assert_eq!(profile.authority.as_deref(), Some("PEM"));
    assert_eq!(profile.identity, Some(("CERTIFICATE".to_owned(), "KEY".to_owned())));
    assert_eq!(profile.data_dir, Some(folder.path().join("d")));
    assert_eq!(profile.defaults.map(|defaults| defaults.purpose).as_deref(), Some("p"));
}

#[test]
fn nothing_named_says_how_to_name_it() {
    let failure = failed(None);
    assert_eq!(failure.exit() as u8, 2);
    assert!(failure.for_people().contains("LIKENESS_PROFILE"));
}

#[test]
fn a_profile_open_to_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "server = 'http://127.0.0.1:1'\nsystem_name = 's'\ntoken = 't'\n", 0o644);
    assert!(failed(Some(&path)).for_people().contains("chmod 600"));
}

#[test]
fn wrong_profiles_are_refused_precisely() {
    assert!(
        refused("server = 'http://example.org:1'\nsystem_name = 's'\ntoken = 't'\n").contains("in clear")
    );
    assert!(
        refused("server = 'https://127.0.0.1:1'\nsystem_name = 's'\ntoken = 't'\n").contains("names no `ca`")
    );
    assert!(refused("server = 'ftp://h'\nsystem_name = 's'\ntoken = 't'\n").contains("https://"));
    assert!(refused("servr = 'x'\n").contains("not valid"));
    let hidden = refused("server = 1\nsystem_name = 's'\ntoken = 'very-secret'\n");
    assert!(!hidden.contains("very-secret"));
    let hidden = refused("system_name = 's'\ntoken = 'very-secret\n");
    assert!(!hidden.contains("very-secret"), "{hidden}");
}

#[test]
fn loopback_in_clear_is_allowed() {
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        assert!(is_loopback(&format!("http://{host}:1").parse().unwrap()));
    }
    assert!(!is_loopback(&"http://10.0.0.1:1".parse().unwrap()));
}
