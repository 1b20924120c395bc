//! Debian's nginx before a server, with one location, for one test.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use pushoff_model::{RunClock, RunInstant};
use rustix::io::FdFlags;
use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::command::Folder;
use crate::server::DEADLINE;

pub(super) struct Nginx {
    process: Child,
    address: SocketAddr,
    _home: Folder,
}

impl Nginx {
    /// One that passes everything to `server`: lines of its `server` block, and of its `location`.
    pub(super) fn before(server: SocketAddr, lines: &str, location: &str) -> Self {
        Self::listening("", server, lines, location)
    }

    /// The same; `listen` are parameters of its port.
    pub(super) fn listening(listen: &str, server: SocketAddr, lines: &str, location: &str) -> Self {
        let home = Folder::new();
        // nginx inherits the socket, as from another nginx: nobody takes the port before it does.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        rustix::io::fcntl_setfd(&listener, FdFlags::empty()).unwrap();
        let address = listener.local_addr().unwrap();
        let user = if geteuid().is_root() { "user root;" } else { "" };
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {};", home.path(name)))
            .join(" ");
        let pid = home.path("pid");
        let configuration = home.file(
            "nginx.conf",
            &format!(
                "{user} daemon off; worker_processes 1; pid {pid}; error_log stderr error; events {{ }}
                 http {{ {folders} access_log off;
                   map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
                   server {{ listen {address} {listen}; {lines}
                     location / {{ proxy_pass http://{server}; {location} }} }} }}"
            ),
        );
        let process = Command::new("nginx")
            .args(["-e", "stderr", "-p", &home.path(""), "-c", &configuration])
            .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
            .env("NGINX", format!("{};", listener.as_raw_fd()))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx is needed (apt-get install nginx): {error}"));
        let mut nginx = Self { process, address, _home: home };
        nginx.wait_until_it_has_a_worker();
        nginx
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Its socket accepts before it does, so that only its worker tells that it reads what it is sent.
    fn wait_until_it_has_a_worker(&mut self) {
        let clock = RunClock::start();
        let pid = i32::try_from(self.process.id()).unwrap();
        let is_child = |process: procfs::process::Process| process.stat().is_ok_and(|stat| stat.ppid == pid);
        while !procfs::process::all_processes().unwrap().flatten().any(is_child) {
            assert_eq!(self.process.try_wait().unwrap(), None, "nginx ended");
            assert!(clock.now().since(RunInstant::default()) < DEADLINE, "nginx has no worker");
            // Another process's children have no event; this asks for them with a deadline.
            thread::park_timeout(Duration::from_millis(5));
        }
        drop(TcpStream::connect(self.address).unwrap());
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its master ends its worker. It may have ended already, which is what is wanted.
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap_or_default();
        drop(self.process.wait());
    }
}
