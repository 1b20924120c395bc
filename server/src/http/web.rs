//! The files under `/web/`: the browser clients, there to be used and to be copied.
//!
//! They are part of the binary and served as they stand, so that what is shown is what is run.

use http::HeaderValue;
use http::header::X_CONTENT_TYPE_OPTIONS;

use super::problem::Problem;
use super::response::Response;

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file as it is served.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

const fn script(name: &'static str, content: &'static str) -> File {
    File { name, media_type: SCRIPT, content }
}

const FILES: &[File] = &[
    script("client.js", include_str!("../../web/client.js")),
    script("short-polling.js", include_str!("../../web/short-polling.js")),
    script("long-polling.js", include_str!("../../web/long-polling.js")),
    script("http-streaming.js", include_str!("../../web/http-streaming.js")),
    script("fetch-streaming.js", include_str!("../../web/fetch-streaming.js")),
    script("sse.js", include_str!("../../web/sse.js")),
    script("websocket.js", include_str!("../../web/websocket.js")),
];

impl File {
    /// The file of a name.
    pub(super) fn find(name: &str) -> Result<&'static Self, Problem> {
        FILES.iter().find(|file| file.name == name).ok_or_else(Problem::not_found)
    }

    pub(super) fn response(&self) -> Response {
        super::text(self.media_type, self.content).with(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served_under_its_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
        let there: BTreeSet<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let served: BTreeSet<_> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(there, served);
        for file in FILES {
            assert_eq!(fs::read_to_string(format!("{folder}/{}", file.name)).unwrap(), file.content);
        }
    }

    #[test]
    fn a_script_imports_nothing_that_is_not_served_beside_it() {
        for file in FILES.iter().filter(|file| file.media_type == SCRIPT) {
            for (_, import) in file.content.lines().filter_map(|line| line.split_once(" from '")) {
                let name = import.strip_prefix("./").and_then(|import| import.strip_suffix("';"));
                assert!(name.is_some_and(|name| File::find(name).is_ok()), "{} imports {import}", file.name);
            }
        }
    }
}
