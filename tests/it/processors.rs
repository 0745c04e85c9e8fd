//! Clients whose packets come from one processor, then from another.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use sockeye::router::Router;
use sockeye::server::Config;

use crate::support::TestServer;

/// Those that this process may use, each as a set of its own.
fn processors() -> Vec<CpuSet> {
    let all = sched_getaffinity(None).unwrap();
    let usable = (0..CpuSet::MAX_CPU).filter(|&number| all.is_set(number));
    let alone = |number| {
        let mut set = CpuSet::new();
        set.set(number);
        set
    };
    usable.map(alone).collect()
}

/// A connection follows its client to another of the server's ready lists, and nothing that arrives meanwhile is lost.
#[test]
fn clients_that_move_from_processor_to_processor_are_answered_all_along() {
    let config = Config {
        ready_lists: 2,
        active_threads: 2,
        ..Config::default()
    };
    let server = TestServer::with_config(config, Router::new().get("/", |_| "hello\n"));
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    let processors = processors();
    for round in 0..100 {
        // Not in step with the looks for the nearest list.
        for _ in 0..7 {
            let processor = processors[round % processors.len().min(2)];
            sched_setaffinity(None, &processor).unwrap();
            for client in &mut clients {
                client.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            }
            for client in &mut clients {
                assert_eq!(client.hear().text(), "hello\n");
            }
        }
    }
}
