//! Where a server, and each server that shares its log, reports what its process uses.

use http::HeaderMap;
use pushoff_model::target::Template;
use reqwest::Url;

use super::error::ConnectionError;
use super::http_client::http_client;
use super::request::{fields_of, url};
use crate::account::Account;
use crate::server::Server;

impl Server {
    /// The same server without its processes, which cannot be seen. What they use is read from the server's own report, if
    /// the target says where it is.
    ///
    /// # Errors
    /// When no client can be made, or an address makes no URL.
    pub fn unseen(mut self) -> Result<Self, ConnectionError> {
        (self.pids, self.cpus) = (Vec::new(), 0.0);
        if let Some(path) = &self.target.dialect.metrics {
            let count = u32::try_from(self.siblings.len()).unwrap_or(u32::MAX).max(1);
            let places = (0..count).map(|number| place(&self.nth(number), path)).collect::<Result<_, _>>()?;
            let client = http_client(&self, &self.publisher())?;
            self.account = Some(Account { client, places }.into());
        }
        Ok(self)
    }
}

fn place(server: &Server, path: &Template) -> Result<(Url, HeaderMap), ConnectionError> {
    let mut target = server.base.clone();
    path.fill(&mut target, |_variable| None::<&str>);
    Ok((url(server, &target)?, fields_of(server)?))
}
