//! `octopush-segments-proof --pairs 1000000 --seed S`: that the compiled SQL, the evaluator, the members and the explanations agree.

use clap::Parser;
use octopush_load::proof::{Sequence, Server, Size, Verdict, prove_operations, prove_pairs};
use std::time::Instant;

#[derive(Parser)]
#[command(
    about = "Checks random rules over random contacts, and members after random operations; ends at the first difference"
)]
struct Cli {
    /// Pairs of a rule and a contact to check at least.
    #[arg(long, default_value_t = 1_000_000)]
    pairs: usize,
    /// Operations to do, in sequences of 200.
    #[arg(long, default_value_t = 2_000)]
    operations: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 250)]
    contacts: usize,
    #[arg(long, default_value_t = 150)]
    rules: usize,
}

const SEQUENCE: usize = 200;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let server = Server::from_environment()?;
    let size = Size {
        contacts: cli.contacts,
        rules: cli.rules,
    };
    let started = Instant::now();
    let mut seed = cli.seed;
    let mut all = Sequence::default();
    while all.verdict.pairs < cli.pairs {
        all.verdict.add(prove_pairs(&server, seed, size).await?);
        say(&all.verdict, seed, started);
        seed += 1;
    }
    let mut left = cli.operations;
    while left > 0 {
        let length = left.min(SEQUENCE);
        let sequence = prove_operations(&server, seed, length).await?;
        all.verdict.add(sequence.verdict);
        for (kind, (done, refused)) in sequence.operations {
            let count = all.operations.entry(kind).or_default();
            count.0 += done;
            count.1 += refused;
        }
        say(&all.verdict, seed, started);
        seed += 1;
        left -= length;
    }
    println!("no difference; operations (done, refused): {:?}", all.operations);
    Ok(())
}

fn say(verdict: &Verdict, seed: u64, started: Instant) {
    println!(
        "{:.0} s, seed {seed}: {verdict:?}",
        started.elapsed().as_secs_f64()
    );
}
