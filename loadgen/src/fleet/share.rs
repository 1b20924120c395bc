//! An agent's share of a trial: all that it needs to run its part, as it travels.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pushoff_model::record::FailureKind;
use pushoff_model::workload::{Load, Payload, TraceEvent};
use pushoff_model::{Client, Http, Transport, Wire, Workload, target};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failure::{Failed, caused};
use crate::peers::Part;
use crate::plan::Trial;
use crate::server::{Server, Sibling};
use crate::tls::{Anchor, Tls};

/// One agent's share of a trial.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Share {
    /// The trial's number among all that agents are told of: random.
    pub(super) id: u64,
    pub(super) part: Part,
    /// The number in the names of its topics.
    pub(super) run: u32,
    /// When the coordinator's clock was started, on the agent's.
    pub(super) epoch: i64,
    workload: Workload,
    /// The messages of a trace, which a record leaves out.
    events: Vec<(Duration, u32, Arc<RawValue>)>,
    /// The payloads of a file.
    lines: Vec<Arc<RawValue>>,
    transport: Transport,
    client: Client,
    wire: Wire,
    number: u32,
    position: u32,
    seed: u64,
    server: Place,
}

/// The address of the server, and the way to reach it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    /// Its name, and the TOML that describes it.
    target: (String, String),
    clear: Option<SocketAddr>,
    wire: Wire,
    raw_tcp: Option<SocketAddr>,
    own: Reached,
    siblings: Vec<Reached>,
}

/// The name of one server, and how it is reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reached {
    http: SocketAddr,
    tls: Option<(Anchor, String)>,
    authority: String,
    base: String,
}

impl Reached {
    fn of(http: SocketAddr, tls: Option<&Arc<Tls>>, authority: &str, base: &str) -> Self {
        let tls = tls.map(|tls| tls.asked().clone());
        Self { http, tls, authority: authority.to_owned(), base: base.to_owned() }
    }

    fn taken(self, http: Http) -> Result<Sibling, Failed> {
        let tls = self.tls.map(|(anchor, host)| Tls::new(&anchor, &host, http)).transpose();
        let tls = tls.map_err(|error| caused(FailureKind::Generator, "setting up TLS", &error))?;
        Ok(Sibling { http: self.http, tls: tls.map(Arc::new), authority: self.authority, base: self.base })
    }
}

impl Share {
    /// The share of the whole trial; each agent's differs in part and epoch.
    pub(super) fn of(trial: &Trial, server: &Server) -> Self {
        let workload = Workload::clone(&trial.workload);
        let events = match &workload.load {
            Load::Trace { events, .. } => events.iter().map(|it| (it.offset, it.topic, it.payload.clone())).collect(),
            Load::Rate { .. } | Load::Silence { .. } => Vec::new(),
        };
        let lines = match &workload.payload {
            Payload::File { lines, .. } => lines.to_vec(),
            Payload::Bytes { .. } | Payload::Quote | Payload::Progress | Payload::ChatLine => Vec::new(),
        };
        let sibling = |it: &Sibling| Reached::of(it.http, it.tls.as_ref(), &it.authority, &it.base);
        Self {
            id: rand::random(),
            part: Part::WHOLE,
            run: rand::random(),
            epoch: 0,
            workload,
            events,
            lines,
            transport: trial.transport,
            client: trial.client,
            wire: trial.wire,
            number: trial.number,
            position: trial.position,
            seed: trial.seed,
            server: Place {
                target: (server.target.name.clone(), server.target.text.to_string()),
                clear: server.clear,
                wire: server.wire,
                raw_tcp: server.raw_tcp,
                own: Reached::of(server.http, server.tls.as_ref(), &server.authority, &server.base),
                siblings: server.siblings.iter().map(sibling).collect(),
            },
        }
    }

    /// The same for one agent, on whose clock the coordinator's was started at that moment.
    pub(super) fn for_part(&self, part: Part, epoch: i64) -> Self {
        let mut share = self.clone();
        (share.part, share.epoch) = (part, epoch);
        share
    }

    /// The agent's task in one sentence, for a person.
    pub(super) fn says(&self) -> String {
        let Self { part, workload, transport, number, .. } = self;
        let (subscribers, publishers) = (part.subscribers(workload).count(), part.publishers(workload).count());
        let name = &workload.name;
        format!("runs {name} over {transport}, trial {number}: {subscribers} subscribers and {publishers} publishers")
    }

    /// The trial and its server, as an agent sees them.
    pub(super) fn taken(self) -> Result<(Trial, Server), Failed> {
        let Self { mut workload, events, lines, server: place, .. } = self;
        if let Load::Trace { events: of, .. } = &mut workload.load {
            let event = |(offset, topic, payload)| TraceEvent { offset, topic, payload };
            *of = events.into_iter().map(event).collect();
        }
        if let Payload::File { lines: of, .. } = &mut workload.payload {
            *of = lines.into();
        }
        let (name, text) = place.target;
        let target = target::parse(&text, Path::new("the coordinator's target"));
        let target = target.map_err(|error| caused(FailureKind::Generator, "reading the target", &error))?;
        let target = Arc::new(target::Target { name, ..target });
        let Sibling { http, tls, authority, base } = place.own.taken(place.wire.http)?;
        let siblings = place.siblings.into_iter().map(|it| it.taken(place.wire.http));
        let siblings = siblings.collect::<Result<_, _>>()?;
        let (wire, clear, raw_tcp) = (place.wire, place.clear, place.raw_tcp);
        let server = Server::at(target.clone(), http);
        let server = Server { wire, tls, clear, authority, base, raw_tcp, siblings, ..server };
        let mut trial = Trial::new(Arc::new(workload), self.transport, target, self.seed);
        (trial.client, trial.wire) = (self.client, self.wire);
        (trial.number, trial.position) = (self.number, self.position);
        Ok((trial, server))
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::built_in;

    use super::*;

    #[test]
    fn a_share_holds_the_whole_trial_with_what_a_record_leaves_out() {
        let payload: Arc<RawValue> = RawValue::from_string("{\"a\":1}".into()).unwrap().into();
        let mut workload = built_in("ticker").unwrap().unwrap();
        let event = TraceEvent { offset: Duration::from_millis(7), topic: 3, payload: payload.clone() };
        workload.load = Load::Trace { path: "t.jsonl".into(), messages: 1, events: [event].into() };
        workload.payload = Payload::File { path: "p.jsonl".into(), lines: [payload.clone()].into() };
        let target = Arc::new(target::built_in("nchan").unwrap().unwrap());
        let trial = Trial::new(Arc::new(workload), Transport::Sse, target.clone(), 77);
        let server = Server::at(target, "127.0.0.1:7001".parse().unwrap());
        let text = serde_json::to_string(&Share::of(&trial, &server)).unwrap();
        let (again, reached) = serde_json::from_str::<Share>(&text).unwrap().taken().unwrap();
        // How the server is started is the coordinator's alone to know.
        let (own, its) = (&again.target, &trial.target);
        assert_eq!((&own.name, &own.dialect, &own.text), (&its.name, &its.dialect, &its.text));
        let mut wanted = trial.clone();
        wanted.target = own.clone();
        assert_eq!(again, wanted);
        assert_eq!(reached.http, server.http);
        let Payload::File { lines, .. } = &again.workload.payload else { panic!("{:?}", again.workload.payload) };
        assert_eq!(lines[0].get(), payload.get());
    }
}
