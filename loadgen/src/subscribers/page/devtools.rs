//! A connection to a browser: the `DevTools` protocol over a pair of pipes.
//!
//! Calls and answers are JSON objects, each ended by a zero byte. No event is subscribed to that a trial does not
//! need: a library that receives every frame and byte of every page would distort the measurement. Source: the Chrome
//! `DevTools` Protocol, "Remote debugging pipe".

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chromiumoxide_types::{CallId, CdpJsonEventMessage, Message, MethodCall, Response};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{mpsc, oneshot};

/// How many calls may wait to be written. More than all pages of a trial make at once; further callers wait.
const WAITING: usize = 256;
/// The byte that ends every call and every answer.
const END: u8 = 0;

/// Why a call had no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum DevtoolsError {
    /// The browser closed the pipe.
    #[error("the browser's process ended")]
    Gone,
    /// The browser refused the call.
    #[error("the browser refused {method}")]
    Refused {
        /// The method that was called.
        method: &'static str,
        /// The browser's reason.
        #[source]
        says: chromiumoxide_types::Error,
    },
    /// The answer lacks a field that the protocol requires.
    #[error("the browser's answer to {0} lacks a field")]
    Strange(&'static str),
    /// A script in a page threw an exception.
    #[error("a script in the page failed: {0}")]
    Script(String),
}

/// A connection to a browser. Clones share it; when the last one is dropped, the browser ends.
#[derive(Clone, Debug)]
pub(super) struct Devtools {
    calls: mpsc::Sender<Call>,
}

/// A connection to one page.
#[derive(Clone, Debug)]
pub(super) struct Session {
    devtools: Devtools,
    id: Arc<str>,
}

#[derive(Debug)]
struct Call {
    method: &'static str,
    params: Value,
    session: Option<Arc<str>>,
    answer: oneshot::Sender<Response>,
}

/// The callers that wait, by call; `None` once no answer can come.
type Waiting = Arc<Mutex<Option<HashMap<CallId, oneshot::Sender<Response>>>>>;

impl Devtools {
    pub(super) fn new(
        to: impl AsyncWrite + Send + Unpin + 'static,
        from: impl AsyncRead + Send + Unpin + 'static,
    ) -> Self {
        let (calls, waiting_calls) = mpsc::channel(WAITING);
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        tokio::spawn(write(to, waiting_calls, waiting.clone()));
        tokio::spawn(read(from, waiting));
        Self { calls }
    }

    /// Calls a method of the browser itself.
    pub(super) async fn call(&self, method: &'static str, params: Value) -> Result<Value, DevtoolsError> {
        self.ask(method, params, None).await
    }

    /// A connection to the page with this session id.
    pub(super) fn session(&self, id: &str) -> Session {
        Session { devtools: self.clone(), id: id.into() }
    }

    async fn ask(
        &self,
        method: &'static str,
        params: Value,
        session: Option<Arc<str>>,
    ) -> Result<Value, DevtoolsError> {
        let (answer, answered) = oneshot::channel();
        self.calls.send(Call { method, params, session, answer }).await.or(Err(DevtoolsError::Gone))?;
        let Response { result, error, .. } = answered.await.or(Err(DevtoolsError::Gone))?;
        match (result, error) {
            (_, Some(says)) => Err(DevtoolsError::Refused { method, says }),
            (Some(result), None) => Ok(result),
            (None, None) => Err(DevtoolsError::Strange(method)),
        }
    }
}

impl Session {
    /// Calls a method of the page.
    pub(super) async fn call(&self, method: &'static str, params: Value) -> Result<Value, DevtoolsError> {
        self.devtools.ask(method, params, Some(self.id.clone())).await
    }

    /// Evaluates an expression in the page and awaits a promise.
    pub(super) async fn evaluate(&self, expression: &str) -> Result<Value, DevtoolsError> {
        let params = serde_json::json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", params).await?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            let said = thrown.pointer("/exception/description").or_else(|| thrown.get("text"));
            return Err(DevtoolsError::Script(said.and_then(Value::as_str).unwrap_or("it threw").to_owned()));
        }
        Ok(answer.pointer_mut("/result/value").map(Value::take).unwrap_or_default())
    }
}

/// A text field of an answer.
pub(super) fn text<'a>(answer: &'a Value, method: &'static str, key: &str) -> Result<&'a str, DevtoolsError> {
    answer.get(key).and_then(Value::as_str).ok_or(DevtoolsError::Strange(method))
}

/// Writes calls until all senders are gone; then the pipe closes, which ends the browser.
async fn write(mut to: impl AsyncWrite + Unpin, mut calls: mpsc::Receiver<Call>, waiting: Waiting) {
    let mut number = 0;
    while let Some(Call { method, params, session, answer }) = calls.recv().await {
        number += 1;
        let id = CallId::new(number);
        match lock(&waiting).as_mut() {
            Some(waiting) => waiting.insert(id, answer),
            None => continue,
        };
        let call = MethodCall { id, method: method.into(), session_id: session.map(|id| id.to_string()), params };
        // A `MethodCall` always serialises.
        let mut bytes = serde_json::to_vec(&call).unwrap_or_default();
        bytes.push(END);
        if to.write_all(&bytes).await.is_err() {
            lock(&waiting).take();
        }
    }
}

/// Gives each answer to its caller, until the browser closes the pipe.
async fn read(from: impl AsyncRead + Unpin, waiting: Waiting) {
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    while matches!(from.read_until(END, &mut bytes).await, Ok(1..)) {
        match serde_json::from_slice(bytes.strip_suffix(&[END]).unwrap_or(&bytes)) {
            Ok(Message::Response(response)) => {
                let asker = lock(&waiting).as_mut().and_then(|waiting| waiting.remove(&response.id));
                // The caller may have stopped waiting.
                asker.map(|asker| asker.send(response));
            }
            Ok(Message::<CdpJsonEventMessage>::Event(event)) => tracing::trace!(method = %event.method, "event"),
            Err(error) => tracing::debug!(%error, "a message of the browser cannot be parsed"),
        }
        bytes.clear();
    }
    lock(&waiting).take();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    /// The browser's ends of the two pipes.
    struct Far {
        heard: BufReader<DuplexStream>,
        said: DuplexStream,
    }

    impl Far {
        async fn hear(&mut self) -> Value {
            let mut bytes = Vec::new();
            self.heard.read_until(END, &mut bytes).await.unwrap();
            serde_json::from_slice(bytes.strip_suffix(&[END]).unwrap()).unwrap()
        }

        async fn say(&mut self, value: &Value) {
            self.said.write_all(format!("{value}\0").as_bytes()).await.unwrap();
        }
    }

    fn line() -> (Devtools, Far) {
        let ((heard, to), (from, said)) = (duplex(4_096), duplex(4_096));
        (Devtools::new(to, from), Far { heard: BufReader::new(heard), said })
    }

    #[tokio::test]
    async fn answers_find_who_asked_whatever_comes_between() {
        let (devtools, mut far) = line();
        let page = devtools.session("S");
        let browser = async {
            let calls = [far.hear().await, far.hear().await];
            far.say(&json!({"method": "Page.loaded", "params": {}})).await;
            for call in calls.iter().rev() {
                let result = json!({"result": {"value": call["method"]}});
                far.say(&json!({"id": call["id"], "result": result})).await;
            }
            calls
        };
        let (one, two, calls) =
            tokio::join!(devtools.call("Browser.getVersion", json!({})), page.evaluate("1"), browser);
        assert_eq!(one.unwrap()["result"]["value"], "Browser.getVersion");
        assert_eq!(two.unwrap(), "Runtime.evaluate");
        assert_eq!(calls[0].get("sessionId"), None);
        assert_eq!(calls[1]["sessionId"], "S");
    }

    #[tokio::test]
    async fn refusals_and_scripts_that_throw_are_errors_with_what_was_said() {
        let (devtools, mut far) = line();
        let page = devtools.session("S");
        let browser = async {
            let id = far.hear().await["id"].take();
            far.say(&json!({"id": id, "error": {"code": -32601, "message": "no such method"}})).await;
            let id = far.hear().await["id"].take();
            let thrown = json!({"result": {}, "exceptionDetails": {"exception": {"description": "Error: no"}}});
            far.say(&json!({"id": id, "result": thrown})).await;
        };
        let asking = async {
            let refused = devtools.call("No.such", json!({})).await.unwrap_err();
            (refused, page.evaluate("throw 1").await.unwrap_err())
        };
        let ((refused, thrown), ()) = tokio::join!(asking, browser);
        assert!(
            matches!(refused, DevtoolsError::Refused { method: "No.such", says } if says.message.contains("no such"))
        );
        assert!(thrown.to_string().ends_with("Error: no"), "{thrown}");
    }

    #[tokio::test]
    async fn a_browser_that_hangs_up_answers_everybody_and_hears_when_all_have_hung_up() {
        let (devtools, mut far) = line();
        let browser = async {
            far.hear().await;
            drop(far.said);
            far.heard
        };
        let (answer, mut heard) = tokio::join!(devtools.call("Browser.close", json!({})), browser);
        assert!(matches!(answer.unwrap_err(), DevtoolsError::Gone));
        assert!(matches!(devtools.call("Browser.close", json!({})).await.unwrap_err(), DevtoolsError::Gone));
        drop(devtools);
        assert_eq!(heard.read_until(END, &mut Vec::new()).await.unwrap(), 0);
    }
}
