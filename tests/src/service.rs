//! A real `likeness` server in a temporary folder.
use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The `likeness` binary of this build.
///
/// # Panics
/// When it was not built: `make setup` builds it.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test.parent().and_then(Path::parent).expect("tests lie in target/PROFILE/deps");
    let path = folder.join(name);
    assert!(path.is_file(), "{} is not there: run `make setup` first", path.display());
    path
}

/// A data folder, and the server that serves it while one runs.
pub struct Service {
    folder: TempDir,
    child: Option<Child>,
    port: u16,
    /// Another home for model packs than the user's.
    home: Option<PathBuf>,
}

/// Makes a home for model packs in a folder.
type MakeHome<'a> = Box<dyn FnOnce(&Path) -> PathBuf + 'a>;

impl Service {
    /// Makes a data folder with `likeness init` and serves it.
    #[must_use]
    pub fn start() -> Self {
        let mut service = Self::init();
        service.serve();
        service
    }

    /// Makes a data folder with `likeness init`; nothing is served yet.
    #[must_use]
    pub fn init() -> Self {
        Self::init_with(None)
    }

    /// As [`Service::init`], with a home for model packs that `make` makes in a folder, and another default pack.
    #[must_use]
    pub fn init_in(make: impl FnOnce(&Path) -> PathBuf, pack: &str) -> Self {
        Self::init_with(Some((Box::new(make), pack)))
    }

    fn init_with(packs: Option<(MakeHome<'_>, &str)>) -> Self {
        let folder = tempfile::Builder::new().prefix("likeness-test-").tempdir().expect("a temporary folder");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let data = folder.path().join("data");
        let mut command = Command::new(binary("likeness"));
        command.args(["init", "--no-pull", "--listen", &format!("127.0.0.1:{port}")]);
        let home = packs.map(|(make, pack)| {
            command.args(["--pack", pack]);
            make(folder.path())
        });
        let output = with_home(&mut command, home.as_deref()).arg(&data).output().expect("likeness runs");
        assert!(output.status.success(), "init failed: {}", String::from_utf8_lossy(&output.stderr));
        Self { folder, child: None, port, home }
    }

    /// Starts the server and waits until it answers.
    pub fn serve(&mut self) {
        self.serve_with(&[]);
    }

    /// As [`Service::serve`], with more arguments.
    pub fn serve_with(&mut self, arguments: &[&str]) {
        let program = Command::new(binary("likeness"));
        assert!(self.serve_by(program, arguments), "the server stopped: {}", self.server_log());
    }

    /// As [`Service::serve`], after a line of shell that limits what the server may do. False when it does not start.
    pub fn serve_after(&mut self, shell: &str) -> bool {
        let mut program = Command::new("sh");
        program.arg("-c").arg(format!("{shell}; exec \"$0\" \"$@\"")).arg(binary("likeness"));
        self.serve_by(program, &[])
    }

    fn serve_by(&mut self, mut program: Command, arguments: &[&str]) -> bool {
        assert!(self.child.is_none(), "already serving");
        let mut child = with_home(&mut program, self.home.as_deref())
            .arg("serve")
            .arg("--data")
            .arg(self.data())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("likeness runs");
        let log = self.log();
        let stderr = child.stderr.take().expect("stderr is piped");
        thread::spawn(move || {
            use std::io::Write as _;
            let mut file =
                fs::OpenOptions::new().create(true).append(true).open(log).expect("the log can be written");
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = writeln!(file, "{line}");
            }
        });
        let began = Instant::now();
        self.child = Some(child);
        loop {
            // The port is bound only when every pool is open.
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            let ended = self.child.as_mut().expect("serving").try_wait().expect("the child can be asked");
            if ended.is_some() {
                self.child = None;
                return false;
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the server does not answer: {}",
                self.server_log()
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Starts the server, which must not start: what it said, or nothing when it serves.
    #[must_use]
    pub fn refuses_to_serve(&self) -> Option<String> {
        let mut child = Command::new(binary("likeness"))
            .arg("serve")
            .arg("--data")
            .arg(self.data())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("likeness runs");
        loop {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                child.kill().expect("the server can be killed");
                child.wait().expect("the server can be reaped");
                return None;
            }
            if child.try_wait().expect("the child can be asked").is_some() {
                let output = child.wait_with_output().expect("the server can be reaped");
                return Some(String::from_utf8_lossy(&output.stderr).into_owned());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the server at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("the server can be killed");
            child.wait().expect("the server can be reaped");
        }
    }

    /// Asks the server to stop and waits for it.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let status =
                Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().expect("kill runs");
            assert!(status.success());
            let ended = child.wait().expect("the server can be reaped");
            assert!(ended.success(), "the server ended with {ended}: {}", self.server_log());
        }
    }

    /// What the server logged so far.
    #[must_use]
    pub fn server_log(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    /// Resident memory of the server, in bytes (Linux).
    #[must_use]
    pub fn memory(&self) -> u64 {
        let id = self.child.as_ref().expect("serving").id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).expect("a number") * 1024
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for the test's own files.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// The port it serves on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Prepares a command line call with this service's profile.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("likeness"));
        with_home(&mut command, self.home.as_deref())
            .args(arguments)
            .env("LIKENESS_PROFILE", self.data().join("profile.toml"))
            .stdin(Stdio::null());
        command
    }

    /// Runs a command line call with this service's profile.
    #[must_use]
    pub fn cli(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("likeness runs")
    }

    /// Runs a call that must succeed and returns its standard output.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.cli(arguments);
        assert!(
            output.status.success(),
            "likeness {arguments:?} ended with {}: {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs a call with `--json` that must succeed and returns what it printed.
    #[must_use]
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let text = self.ok(arguments);
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("likeness {arguments:?} did not print JSON ({error}): {text}"))
    }
}

fn with_home<'c>(command: &'c mut Command, home: Option<&Path>) -> &'c mut Command {
    match home {
        Some(home) => command.env("LIKENESS_HOME", home),
        None => command,
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if thread::panicking() {
            eprintln!("server log:\n{}", self.server_log());
        }
    }
}
