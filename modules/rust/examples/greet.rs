//! Greets the name in the path, sorts what is posted, and counts for all workers.

use sluice::{Body, Counter, Exchange, Handler, Host, Progress, Sink};

/// Counts down, line by line.
struct Countdown {
    left: u32,
    line: Vec<u8>, // not taken yet
}

impl Body for Countdown {
    fn pump(&mut self, sink: &mut Sink<'_>) -> Progress {
        loop {
            if self.line.is_empty() && self.left == 0 {
                return Progress::Done;
            }
            if self.line.is_empty() {
                self.line = format!("{}\n", self.left).into_bytes();
                self.left -= 1;
            }
            let taken = sink.write(&self.line);
            self.line.drain(..taken);
            if !self.line.is_empty() {
                return Progress::More;
            }
        }
    }
}

/// Fails when it is asked.
struct Broken;

impl Body for Broken {
    fn pump(&mut self, _: &mut Sink<'_>) -> Progress {
        panic!("it was asked to")
    }
}

struct Greet {
    host: Host,
    greeting: String,
    greeted: Counter,
}

impl Handler for Greet {
    fn create(host: Host) -> Result<Self, String> {
        let greeting = host.option("greeting");
        if greeting.is_empty() {
            return Err("the option greeting is empty: write a word".into());
        }
        let greeted = host.counter("greeted");
        Ok(Greet { host, greeting, greeted })
    }

    fn handle(&self, mut exchange: Exchange<'_>) {
        let path = exchange.request().path().to_vec();
        let is_post = exchange.request().method() == b"POST";
        match (is_post, path.as_slice()) {
            (true, _) => {
                let host = self.host.clone();
                exchange.body(&self.host, 1 << 20, move |exchange, mut bytes| {
                    let work = move || {
                        bytes.sort_unstable();
                        bytes
                    };
                    exchange.offload(&host, work, |exchange, sorted| exchange.send(&sorted));
                });
            }
            (_, b"panic") => panic!("it was asked to"),
            (_, b"count") => exchange.send(self.host.add_shared_number(b"asked", 1).to_string().as_bytes()),
            (_, b"countdown") => exchange.stream(None, Countdown { left: 5_000, line: Vec::new() }),
            (_, b"broken") => exchange.stream(Some(3), Broken),
            (_, b"") => exchange.fail(404),
            (_, name) => {
                self.host.count(self.greeted, 1);
                exchange.field("Content-Type", b"text/plain; charset=utf-8");
                exchange.send(format!("{}, {}\n", self.greeting, String::from_utf8_lossy(name)).as_bytes());
            }
        }
    }
}

sluice::module!(Greet, name: "greet_rust", version: "1.0.0", summary: "Greets, in Rust", mount: "/greet_rust/",
                options: [("greeting", "Hello", "What it says before the name")]);
