//! The four services, built as in production, with their workers in the hands of the test.

use test_support::{TestEnvironment, TestParts, TestSuite};

pub(crate) async fn tasks(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = task_api::config::Config {
        service: environment.service(),
        auth: environment.auth(),
    };
    let service = task_api::app::build_with(config, environment.clock()).await?;
    let following = service.state.clone();
    let parts = TestParts::of(service)?;
    Ok(parts.worker("home zones", move || {
        let state = following.clone();
        async move { task_api::workers::follow_home_zones::run_once(&state).await }
    }))
}

pub(crate) async fn generator(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = recurring_generator::config::Config {
        service: environment.service(),
    };
    let service = recurring_generator::app::build_with(config, environment.clock()).await?;
    let making = service.state.clone();
    let parts = TestParts::of(service)?;
    Ok(parts.worker("timers", move || {
        let state = making.clone();
        async move { recurring_generator::workers::make_due_occurrences::run_once(&state).await }
    }))
}

pub(crate) async fn scheduler(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = reminder_scheduler::config::Config {
        service: environment.service(),
    };
    let service = reminder_scheduler::app::build_with(config, environment.clock()).await?;
    let firing = service.state.clone();
    let parts = TestParts::of(service)?;
    Ok(parts.worker("timers", move || {
        let state = firing.clone();
        async move { reminder_scheduler::workers::fire_due_timers::run_once(&state).await }
    }))
}

pub(crate) async fn notifier(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = notifier::config::Config {
        service: environment.service(),
        auth: environment.auth(),
    };
    let service = notifier::app::build_with(config, environment.clock()).await?;
    Ok(TestParts::of(service)?)
}

/// One of each, over databases of every kind that can be had.
pub(crate) async fn every() -> Vec<[TestSuite; 4]> {
    let all = TestSuite::every(tasks).await.into_iter();
    let generator = TestSuite::every(generator).await.into_iter();
    let scheduler = TestSuite::every(scheduler).await.into_iter();
    let notifier = TestSuite::every(notifier).await.into_iter();
    all.zip(generator)
        .zip(scheduler)
        .zip(notifier)
        .map(|(((tasks, generator), scheduler), notifier)| [tasks, generator, scheduler, notifier])
        .collect()
}
