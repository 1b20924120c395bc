//! Every metric, in the order of the page: id, label, scope, unit, which way is better, meaning, reading.

use pushoff_model::Client;
use pushoff_model::record::{Link, LinkDirection};

use super::memory::{a_connection, both, pss, server_side};
use super::wire::{
    a_message, a_setup, an_empty_poll, bytes, connections, down_by_theory, float, is_mute, load, resent, seconds,
    segments, with_a_browsers_head,
};
use super::{Better, Definition, Read, Scope};
use crate::words::number::Quantity;
use pushoff_stats::{Figure, Statistic};

macro_rules! metrics {
    ($($metric:ident: $id:literal, $label:literal, $scope:ident, $unit:ident, $better:ident, $help:literal,
       $read:ident $(($of:expr))?;)+) => {
        /// What can be known of a cell.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Metric { $($metric),+ }

        impl Metric {
            /// In the order of the page.
            pub(crate) const ALL: [Self; [$($id),+].len()] = [$(Self::$metric),+];

            pub(super) const fn definition(self) -> &'static Definition {
                match self {
                    $(Self::$metric => &Definition {
                        id: $id,
                        label: $label,
                        scope: Scope::$scope,
                        unit: Quantity::$unit,
                        better: Better::$better,
                        help: $help,
                        read: Read::$read $(($of))?,
                    }),+
                }
            }
        }
    };
}

metrics! {
WithinSlo: "share_within", "within SLO", Slo, Share, Neither, "share of the deliveries due that arrived in time",
    Figure(|e| e.own().share_within(e.slo?.within));
MessagesDue: "messages_due", "messages due", Slo, Count, Neither, "messages that were due while it was measured, each once however many readers it had: so many observations the share rests on",
    Figure(|e| e.count_of(e.own().messages_due()));
TightestSlo: "tightest_ns", "tightest SLO", Slo, Time, Neither, "the time within which the SLO's share of the deliveries due arrived: a tighter SLO fails; none where there are too few messages to show that share",
    Figure(|e| e.own().tightest(e.deliveries(), &e.slo?));
Trials: "trials", "trials", Slo, Count, Neither, "how many trials the figures rest on",
    Figure(|e| e.count(|_| 1));
Cost: "cost_a_month", "cost a month", Cost, Money, Lower, "what a month of this load would cost at list prices: processor time, memory, traffic and requests, as far as these are known",
    Given;
CostToCheapest: "cost_to_cheapest", "÷ cheapest", Cost, Ratio, Lower, "how many times the cost of the cheapest that meets the SLO, round by round; the interval holds however long the run goes on",
    Given;
CostProcessor: "cost_processor", "processor time", Cost, Money, Lower, "the part of the cost that is the server's processor time",
    Given;
CostMemory: "cost_memory", "memory", Cost, Money, Lower, "the part of the cost that is memory: the server's process and its end of the connections in the kernel",
    Given;
CostTraffic: "cost_traffic", "traffic", Cost, Money, Lower, "the part of the cost that is bytes, with the headers of TCP and IP",
    Given;
P50: "p50_ns", "p50", Latency, Time, Lower, "half of the deliveries took at most this time, from when they were due",
    Statistic(|e| Statistic::of_messages(&e.own, 0.5, |it| &it.delivery_latency));
P90: "p90_ns", "p90", Latency, Time, Lower, "9 of 10 deliveries took at most this time",
    Figure(|e| e.delivery(0.9));
P99: "p99_ns", "p99", Latency, Time, Lower, "99 of 100 deliveries took at most this time",
    Statistic(|e| Statistic::of_messages(&e.own, 0.99, |it| &it.delivery_latency));
P999: "p999_ns", "p99.9", Latency, Time, Lower, "999 of 1,000 deliveries took at most this time",
    Figure(|e| e.delivery(0.999));
Max: "max_ns", "max", Latency, Time, Lower, "the longest delivery of all trials",
    Figure(|e| e.delivery(1.0));
P50ToLibrary: "p50_to_library", "p50 ÷ library", Latency, Ratio, Neither, "the median over that of the library for Rust",
    Figure(|e| e.to_client(Client::Library, |sums| {
        sums.percentiles(sums.pool(|it| Some(&it.delivery_latency)).as_ref(), u64::MAX, [0.5])[0]
    }).filter(|_| e.is_in_pages()));
Samples: "samples", "samples", Ledger, Count, Neither, "deliveries in the histograms",
    Figure(|e| e.count(|it| it.delivery_latency.count()));
Deliveries: "deliveries_per_second", "deliveries", Ledger, Rate, Neither, "deliveries a second: the load is offered, not sought",
    Figure(|e| e.own().per_second(|it| it.window.received));
Lost: "lost", "lost", Ledger, Count, Zero, "deliveries that did not happen, in silence",
    Figure(|e| e.count(|it| it.counts.lost));
Missed: "missed", "missed", Ledger, Count, Zero, "deliveries that did not happen, and the reader was told",
    Figure(|e| e.count(|it| it.counts.missed));
NotPublished: "not_published", "not published", Ledger, Count, Zero, "messages that were due and that the server did not take: refused, not answered or never sent; in all trials, void and failed ones too",
    Figure(|e| e.count_of(e.faults.unpublished + e.faults.unsent));
Broken: "broken", "broken", Ledger, Count, Zero, "connections of subscribers that broke and were made again; in all trials, void and failed ones too",
    Figure(|e| e.count_of(e.faults.connections_broken));
Duplicated: "duplicated", "duplicated", Ledger, Count, Zero, "deliveries beyond the first of a message",
    Figure(|e| e.count(|it| it.counts.duplicated));
Reordered: "reordered", "reordered", Ledger, Count, Zero, "deliveries after a later message of the same publisher",
    Figure(|e| e.count(|it| it.counts.reordered));
Altered: "altered", "altered", Ledger, Count, Zero, "deliveries whose content was not what was published",
    Figure(|e| e.count(|it| it.counts.altered));
Unsent: "unsent", "unsent", Ledger, Count, Zero, "messages that were never sent, because the server had not taken those before them; in all trials, void and failed ones too",
    Figure(|e| e.count_of(e.faults.unsent));
Subscribers: "subscribers", "subscribers", Ledger, Count, Neither, "subscribers, over all trials",
    Figure(|e| e.count(|it| it.counts.subscribers));
Published: "published", "published", Ledger, Count, Neither, "messages that the server took",
    Figure(|e| e.count(|it| it.counts.published));
Expected: "expected", "expected", Ledger, Count, Neither, "deliveries that were to happen",
    Figure(|e| e.count(|it| it.counts.expected));
Delivered: "delivered", "delivered", Ledger, Count, Neither, "deliveries that happened",
    Figure(|e| e.count(|it| it.counts.delivered));
RequestsMade: "requests", "requests made", Ledger, Count, Neither, "requests of all subscribers",
    Figure(|e| e.count(|it| it.counts.requests));
EmptyPolls: "empty_polls", "empty polls", Ledger, Count, Neither, "polls that brought nothing",
    Figure(|e| e.count(|it| it.counts.empty_polls));
Requests: "requests_per_second", "requests", Polling, Rate, Lower, "requests that all subscribers made a second, while it was measured",
    Figure(|e| e.own().per_second(|it| it.window.requests));
Polls: "polls_per_second", "polls", Polling, Rate, Higher, "polls answered a second, of a server that has nothing to say; at least (≥) where it was not at its limit",
    Statistic(|e| {
        let polls = Statistic::ratio(&e.own, |it| Some((it.window.requests, it.measured_ns)).filter(|_| it.window.published == 0));
        polls.map(|polls| polls.times(1e9)).filter(|_| e.transport.polls_on_a_timer())
    });
MessagesAResponse: "messages_a_response", "messages a response", Polling, Count, Neither, "messages in a response to a poll that has any",
    Figure(|e| {
        let messages = e.own().quotient(|it| {
            let contents = load(it)?.contents;
            Some((float(contents.messages), float(contents.responses.saturating_sub(contents.empty))))
        });
        messages.filter(|figure| e.transport.is_polling() && figure.point > 0.0)
    });
PollWait: "poll_wait_mean_ns", "wait for the poll", Polling, Time, Lower, "mean, until the next poll is due",
    Figure(|e| e.own().mean(|it| it.poll_wait.as_ref()).map(Figure::or_none));
PollQueueing: "poll_queueing_mean_ns", "queueing", Polling, Time, Lower, "mean, from when the poll is due until it is sent",
    Figure(|e| e.own().mean(|it| it.poll_queueing.as_ref()));
Transfer: "transfer_mean_ns", "transfer", Polling, Time, Lower, "mean, from when the request was sent, or the message was due if that is later, until the message is received",
    Figure(|e| e.own().mean(|it| it.transfer.as_ref()));
RoundTripP50: "round_trip_p50_ns", "round trip p50", RoundTrip, Time, Lower, "half of the messages were back at their speaker within this time",
    Figure(|e| e.of_messages(0.5, |it| it.round_trip.as_ref()));
RoundTripP99: "round_trip_p99_ns", "round trip p99", RoundTrip, Time, Lower, "99 of 100 messages were back at their speaker within this time",
    Figure(|e| e.of_messages(0.99, |it| it.round_trip.as_ref()));
BytesADelivery: "bytes_a_delivery", "bytes a delivery", Around, Bytes, Lower, "both directions above TCP, heads and framing among them",
    Statistic(|e| Statistic::ratio(&e.own, |it| {
        let load = load(it).filter(|_| it.wire.is_some_and(|wire| wire.unread == 0))?;
        Some((load.down.bytes + load.up.bytes, load.contents.messages))
    }));
Down: "down_bytes", "down", Down, Bytes, Lower, "bytes above TCP from server to client, a delivery, by the kernel's count",
    Figure(|e| a_message(e, |it| float(it.down.bytes)));
DownPayload: "down_payload_bytes", "payload", Down, Bytes, Neither, "the published message itself",
    Figure(|e| a_message(e, |it| float(it.contents.payload_bytes)));
DownFraming: "down_framing_bytes", "framing", Down, Bytes, Neither, "what the standards say that its framing weighs, sent alone",
    Figure(|e| a_message(e, |it| float(it.contents.framing_bytes)).filter(|_| e.has_theory()));
DownHeads: "down_head_bytes", "HTTP heads", Down, Bytes, Neither, "heads of responses, shared by the messages that they brought",
    Figure(|e| a_message(e, |it| float(it.contents.response_head_bytes)));
DownTheory: "down_theory_bytes", "theory", Down, Bytes, Neither, "payload, framing and heads by the standards, each message sent alone",
    Figure(down_by_theory);
Up: "up_bytes", "up", Up, Bytes, Lower, "bytes above TCP from client to server, a delivery, by the kernel's count",
    Figure(|e| a_message(e, |it| float(it.up.bytes)));
UpSpoken: "up_payload_bytes", "spoken", Up, Bytes, Neither, "payloads that subscribers sent on the same connection",
    Figure(|e| a_message(e, |it| float(it.contents.spoken_bytes)).filter(|_| !is_mute(e)));
UpHeads: "up_head_bytes", "HTTP heads up", Up, Bytes, Neither, "heads of requests, shared by the messages that they brought",
    Figure(|e| a_message(e, |it| float(it.contents.request_head_bytes)));
BrowserBytes: "browser_bytes_a_delivery", "both, browser", Up, Bytes, Lower, "both directions with the head that a browser sends in place of this client's",
    Figure(|e| a_message(e, |it| with_a_browsers_head(e, it)).filter(|_| e.transport.traits().is_http));
Segments: "segments_a_delivery", "segments", Around, Count, Lower, "TCP segments a delivery, both directions, acknowledgements among them",
    Figure(|e| a_message(e, segments));
Setup: "setup_bytes", "set-up", Around, Bytes, Lower, "bytes of both directions until a connection has its first message",
    Figure(|e| a_setup(e, bytes));
EmptyPoll: "empty_poll_bytes", "empty poll", Around, Bytes, Lower, "bytes of both directions of a poll that brings nothing",
    Figure(|e| an_empty_poll(e, bytes));
Silence: "silent_bytes_per_second", "silence", Around, ByteRate, Lower, "bytes a second of a connection that is told nothing: heartbeats, empty polls",
    Figure(|e| e.silent().quotient(|it| Some((bytes(load(it)?), connections(it) * seconds(it)))));
IdlePss: "idle_server_pss_bytes", "server, idle", Memory, Bytes, Lower, "the server's process (PSS, without pages of files) with everybody connected, less before",
    Statistic(|e| Statistic::difference(&e.own, |it| {
        Some((pss(it.memory.idle.server?) - pss(it.memory.empty.server?), connections(it)))
    }));
IdleKernel: "idle_kernel_bytes", "kernel, idle", Memory, Bytes, Lower, "slab and TCP buffers of both ends with everybody connected, less before",
    Figure(|e| a_connection(e, |it| &it.idle, |held| held.kernel.map(both)));
DeliveringPss: "delivering_server_pss_bytes", "server, delivering", Memory, Bytes, Lower, "the server's process (PSS) at the end of the measure phase",
    Figure(|e| a_connection(e, |it| &it.delivering, |held| held.server.map(pss)));
DeliveringKernel: "delivering_kernel_bytes", "kernel, delivering", Memory, Bytes, Lower, "slab and TCP buffers of both ends, at the end of the measure phase",
    Figure(|e| a_connection(e, |it| &it.delivering, |held| held.kernel.map(both)));
DeliveringServerSide: "delivering_server_and_kernel_bytes", "server + kernel", Memory, Bytes, Lower, "the server's process and its end in the kernel, delivering: half of both ends",
    Figure(|e| a_connection(e, |it| &it.delivering, server_side));
DeliveryCpu: "server_cpu_a_delivery_ns", "CPU a delivery", Processor, Time, Lower, "the server's processor time a delivery, publishing among it",
    Statistic(|e| Statistic::ratio(&e.own, |it| Some((it.server?.cpu_ns, it.window.received))));
DeliveryCpuOverFloor: "server_cpu_over_floor_ns", "CPU over raw TCP", Processor, Time, Lower, "how much more of the server's processor time a delivery takes than over raw TCP, where that is shown",
    Figure(|e| e.over_floor(|sums| sums.ratio(|it| Some((it.server?.cpu_ns, it.window.received)))));
PublishCpu: "server_cpu_a_publish_ns", "CPU a publish", Processor, Time, Lower, "the server's processor time to take a message and deliver it to a single reader",
    Figure(|e| e.publishing().ratio(|it| Some((it.server?.cpu_ns, it.window.published))));
PollCpu: "server_cpu_a_poll_ns", "CPU a poll", Processor, Time, Lower, "the server's processor time for a poll that brings nothing",
    Figure(|e| e.silent().ratio(|it| Some((it.server?.cpu_ns, it.window.requests))).filter(|_| e.transport.is_polling()));
ConnectionCpu: "server_cpu_a_connection_ns", "CPU a connection", Processor, Time, Lower, "the server's processor time until a connection has its first message",
    Statistic(|e| Statistic::ratio(&e.own, |it| Some((it.connecting.server?.cpu_ns, it.connecting.connections))));
SilenceCpu: "server_cpu_a_silent_second_ns", "CPU of silence", Processor, Time, Lower, "the server's processor time for a second of a connection that is told nothing",
    Figure(|e| e.silent().quotient(|it| Some((float(it.server?.cpu_ns), connections(it) * seconds(it)))));
SecondCpu: "server_cpu_a_second_ns", "CPU a second", Processor, Time, Lower, "the server's processor time for a second of a connection, whatever it is told",
    Figure(|e| e.own().quotient(|it| {
        let server = it.server?;
        Some((float(server.cpu_ns), float(server.wall_ns) / 1e9 * connections(it)))
    }));
GeneratorCpu: "generator_cpu_a_message_ns", "generator CPU", Processor, Time, Neither, "the generator's processor time a message received",
    Figure(|e| e.own().ratio(|it| Some((it.generator.cpu_ns, it.window.received))));
GeneratorCpuToLean: "generator_cpu_to_lean", "CPU ÷ lean", Processor, Ratio, Neither, "how many times the lean client's processor time a library takes",
    Figure(|e| e.to_client(Client::Lean, |sums| sums.ratio(|it| Some((it.generator.cpu_ns, it.window.received))))
        .filter(|_| !e.is_in_pages()));
ConnectP50: "connect_p50_ns", "connect p50", Connecting, Time, Lower, "half of the connections were open, or their first request answered, within this time",
    Figure(|e| e.percentile(0.5, |it| Some(&it.connect)));
FirstMessageP50: "first_message_p50_ns", "first message p50", Connecting, Time, Lower, "half of the connections had their first message within this time",
    Figure(|e| e.percentile(0.5, |it| Some(&it.first_message)));
Connections: "connections_per_second", "connections", Connecting, Rate, Higher, "connections a second while everybody came at once",
    Statistic(|e| Statistic::ratio(&e.own, |it| Some((it.connecting.connections, it.connecting.took_ns))).map(|it| it.times(1e9)));
ConnectingTime: "connecting_time_ns", "time a connection", Connecting, Time, Lower, "its share of the time that all took to connect at once",
    Figure(|e| e.own().ratio(|it| Some((it.connecting.took_ns, it.connecting.connections))));
HandshakeRoundTrips: "handshake_round_trips", "round trips", Connecting, Count, Lower, "round trips of a TLS handshake until the client may ask, beside TCP's own",
    Given;
HandshakeUp: "handshake_up_bytes", "bytes up", Connecting, Bytes, Lower, "bytes above TCP from client to server, a handshake",
    Given;
HandshakeDown: "handshake_down_bytes", "bytes down", Connecting, Bytes, Lower, "bytes above TCP from server to client, a handshake, with the tickets that follow",
    Given;
HandshakeCpu: "handshake_server_cpu_ns", "CPU of the server", Connecting, Time, Lower, "the server's processor time a handshake, with accepting and closing the connection",
    Given;
Handshakes: "handshakes", "measured", Connecting, Count, Neither, "how many handshakes were made",
    Given;
MessagesASegment: "messages_a_segment", "messages a segment", Around, Count, Neither, "messages in a TCP segment with data, from server to client",
    Figure(|e| {
        let messages = e.own().quotient(|it| Some((float(load(it)?.contents.messages), float(load(it)?.down.data_segments))));
        messages.filter(|figure| figure.point > 0.0)
    });
ConnectRoundTrips: "connect_round_trips", "connect ÷ round trip", Network, Ratio, Lower, "the median of connecting, in round trips of the network",
    Figure(|e| {
        let round_trip = e.own.iter().find_map(|it| it.link.as_ref())?.round_trip().as_secs_f64() * 1e9;
        let connect = e.percentile(0.5, |it| Some(&it.connect))?;
        (round_trip > 0.0).then(|| connect.times(round_trip.recip()))
    });
Resent: "resent_share", "lost and resent", Network, Share, Lower, "TCP segments sent again because they were lost, over all segments of the readers' connections",
    Figure(|e| resent(e, |it| it.retransmits.saturating_sub(it.spurious_retransmits)));
ResentNeedlessly: "resent_needlessly_share", "resent needlessly", Network, Share, Lower, "TCP segments sent again though they had arrived, over all segments of the readers' connections",
    Figure(|e| resent(e, |it| it.spurious_retransmits));
LinkLateness: "link_lateness_p99_ns", "late on the link", Network, Time, Lower, "99 of 100 packets were passed on at most this much later than they were due",
    Figure(|e| {
        let of = |way: fn(&Link) -> &LinkDirection| e.percentile(0.99, |it| it.link.as_ref().map(|it| &way(it).lateness));
        let (down, up) = (of(|it| &it.down), of(|it| &it.up));
        down.into_iter().chain(up).max_by(|one, other| one.point.total_cmp(&other.point))
    });
MainThread: "main_thread_ns", "main thread", Client, Time, Neither, "how long a page's main thread is busy with a message",
    Figure(|e| e.own().ratio(|it| it.browser.as_ref().map(|used| (used.main_thread.tasks_ns, used.main_thread.messages))));
Scripts: "scripts_ns", "scripts", Client, Time, Neither, "the part of that time in scripts: those of the client and of the counting",
    Figure(|e| e.own().ratio(|it| it.browser.as_ref().map(|used| (used.main_thread.scripts_ns, used.main_thread.messages))));
Heap: "heap_bytes", "heap", Client, Bytes, Neither, "JavaScript's heap a connection, with everybody connected and after garbage collection",
    Figure(|e| e.own().difference(|it| {
        let heap = it.browser.as_ref()?.heap;
        (it.counts.subscribers > 0).then(|| (float(heap.idle_bytes) - float(heap.empty_bytes), connections(it)))
    }));
HeapLeft: "heap_left_bytes", "heap left", Client, Bytes, Neither, "by how much a message enlarges that heap while its connection is open",
    Figure(|e| e.own().difference(|it| {
        let used = it.browser.as_ref()?;
        let messages = float(used.main_thread.messages);
        (messages > 0.0).then(|| (float(used.heap.loaded_bytes) - float(used.heap.idle_bytes), messages))
    }));
Capacity: "capacity_deliveries_per_second", "deliveries", Capacity, Rate, Higher, "the most deliveries a second within the SLO, nothing lost",
    Given;
CapacityDelivered: "capacity_delivered_per_second", "delivered", Capacity, Rate, Higher, "the most deliveries a second that happened while it was measured, however late",
    Given;
CapacityMessages: "capacity_messages_per_second", "messages", Capacity, Rate, Higher, "messages a second of each publisher at the capacity",
    Given;
CapacitySubscribers: "capacity_subscribers", "subscribers", Capacity, Count, Higher, "subscribers at the capacity",
    Given;
BeyondWithin: "beyond_share_within", "in time", Beyond, Share, Higher, "beyond the capacity, the share of the deliveries due that arrived in time",
    Given;
BeyondP99: "beyond_p99_ns", "p99 beyond", Beyond, Time, Lower, "beyond the capacity, 99 of 100 deliveries took at most this time",
    Given;
BeyondLost: "beyond_lost", "lost", Beyond, Count, Neither, "beyond the capacity, deliveries that did not happen, in silence",
    Given;
PlanTraffic: "traffic_a_month_bytes", "traffic a month", Plan, Bytes, Lower, "both directions, with a browser's heads and 52 bytes of TCP and IP a segment, in 730 hours",
    Given;
PlanRequests: "plan_requests_per_second", "requests", Plan, Rate, Neither, "polls, and messages that users publish by a request, a second",
    Given;
PlanConnections: "connections", "connections", Plan, Count, Neither, "connections of the subscribers",
    Given;
PlanCores: "cores", "cores", Plan, Count, Lower, "processors like the one that was measured, each at most 60 % busy",
    Given;
PlanMemory: "memory_bytes", "memory", Plan, Bytes, Lower, "the servers' processes and their ends of the connections in the kernel",
    Given;
PlanP99: "plan_p99_ns", "p99", Plan, Time, Lower, "99 of 100 updates reach their user within this time after they are due",
    Given;
PlanMoney: "money_a_month", "money a month", Plan, Count, Lower, "the price of what the load would need, by the table of prices and in its currency",
    Given;
PlanP50: "plan_p50_ns", "p50", Plan, Time, Lower, "half of the updates reach their user within this time after they are due",
    Given;
PlanWakeups: "wakeups_an_hour", "wake-ups/h", Device, Count, Neither, "how often an hour a phone's radio is woken, if the phone does nothing else",
    Given;
PlanRadio: "radio_share", "radio on", Device, Share, Lower, "the share of the time that the radio is on",
    Given;
PlanProcesses: "processes", "processes", Plan, Count, Neither, "processes of the server, each on a processor of its own",
    Given;
PlanConnectingCpu: "connecting_cpu_ns", "CPU to connect all", Plan, Time, Lower, "processor time of the servers until all users are connected",
    Given;
}
