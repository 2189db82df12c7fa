//! A filter: refuses who is not welcome, and writes texts in capitals.

use sluice::{Body, Counter, Ending, Exchange, Filter, Follows, Head, Host, Outcome, Progress, Sink, Transform};

struct Shout {
    host: Host,
    ended: Counter,
}

struct Capitals;

/// In place of an answer.
struct Silence(usize);

impl Body for Silence {
    fn pump(&mut self, sink: &mut Sink<'_>) -> Progress {
        self.0 -= sink.write(&b"...\n"[4 - self.0..]);
        if self.0 == 0 { Progress::Done } else { Progress::More }
    }
}

impl Transform for Capitals {
    fn pass(&mut self, input: &[u8], _: Follows, sink: &mut Sink<'_>) -> (usize, Progress) {
        let size = input.len().min(4096).min(sink.room() as usize);
        let taken = sink.write(&input[..size].to_ascii_uppercase());
        (taken, if taken < input.len() { Progress::More } else { Progress::Done })
    }
}

impl Filter for Shout {
    fn create(host: Host) -> Result<Self, String> {
        let ended = host.counter("ended");
        Ok(Shout { host, ended })
    }

    fn request(&self, mut exchange: Exchange<'_>) {
        let query = exchange.request().query().to_vec();
        exchange.note("query", &query);
        match query.as_slice() {
            b"stop" => {
                exchange.explain(|| "answers 403: the query says stop".into());
                exchange.fail(403)
            }
            b"panic" => panic!("it was asked to"),
            b"later" => exchange.offload(&self.host, || 7, |exchange, _| exchange.pass()),
            _ => {}
        }
    }

    fn answer(&self, exchange: &Exchange<'_>, head: &mut Head<'_>) {
        head.set("X-Query", &exchange.noted("query"));
        head.remove("Server");
        if exchange.noted("query") == b"hush" {
            head.replace(Some(4), Silence(4));
            return;
        }
        if head.field("Content-Type").starts_with(b"text/plain") && head.status() == 200 {
            head.transform(head.size(), Capitals);
        }
    }

    fn ended(&self, _: &Exchange<'_>, outcome: &Outcome) {
        if outcome.ending == Ending::Complete {
            self.host.count(self.ended, 1);
        }
    }
}

sluice::filter!(Shout, name: "shout_rust", version: "1.0.0", summary: "Writes in capitals, in Rust");
