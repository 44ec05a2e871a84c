#![doc = include_str!("../README.md")]

mod cache;
mod certificates;
mod compose;
mod generate;
mod instructions;
mod k8s;
mod paths;
mod postgres;
mod release;
mod root;
mod secrets;
mod signals;
mod stack;
mod test_postgres;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks, generated files and throw-away servers of the Taskledger workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks the conventions of this repository.
    Tidy,
    /// Writes the JSON Schemas of the events, and what `contract` writes.
    Generate(generate::Options),
    /// Compares the instructions of the hot functions with those committed.
    Instructions(instructions::Options),
    /// Runs docker-compose.yml, tests it, and checks it.
    Compose(compose::Options),
    /// Builds and checks the manifests for Kubernetes.
    K8s(k8s::Options),
    /// Writes what follows from the topic contract: docs/events.md, the script for a plain Kafka,
    /// Strimzi's resources and the scopes in dapr-components.
    Contract(generate::ContractOptions),
    /// Makes what a release is made of, and checks the workflows that make it.
    Release(release::Options),
    /// Makes the secrets of a deployment, each once.
    Secrets(secrets::Options),
    /// Runs the suite on Kafka, Dapr and PostgreSQL, on this machine and without containers.
    Stack(stack::Options),
    /// Runs the store tests on a throw-away PostgreSQL server.
    TestPostgres(test_postgres::Options),
}

fn main() -> anyhow::Result<ExitCode> {
    let root = root::workspace_root();
    match Arguments::parse().command {
        Command::Tidy => tidy::run(&root),
        Command::Generate(options) => generate::run(&root, options),
        Command::Instructions(options) => instructions::run(&root, options),
        Command::Compose(options) => compose::run(&root, &options),
        Command::K8s(options) => k8s::run(&root, &options),
        Command::Release(options) => release::run(&root, &options),
        Command::Secrets(options) => secrets::run(&root, &options),
        Command::Contract(options) => generate::run_contract(&root, options),
        Command::Stack(options) => stack::run(&root, &options),
        Command::TestPostgres(options) => test_postgres::run(&root, &options),
    }
}
