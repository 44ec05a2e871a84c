//! Three services and the events between them.

use chrono::{DateTime, Utc};
use serde_json::Value;
use test_support::{TestEnvironment, TestParts, TestSuite};

/// The services that reminders walk through, over databases of one kind.
pub(crate) struct Services {
    pub(crate) tasks: TestSuite,
    pub(crate) scheduler: TestSuite,
    pub(crate) notifier: TestSuite,
    /// How far they have heard: the scheduler of tasks, both others of reminders, the notifier of tasks.
    heard: [usize; 3],
}

async fn tasks(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = task_api::config::Config {
        service: environment.service(),
        auth: environment.auth(),
    };
    let service = task_api::app::build_with(config, environment.clock()).await?;
    Ok(TestParts::of(service)?)
}

async fn scheduler(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = reminder_scheduler::config::Config {
        service: environment.service(),
    };
    let service = reminder_scheduler::app::build_with(config, environment.clock()).await?;
    let firing = service.state.clone();
    Ok(TestParts::of(service)?.worker("timers", move || {
        let state = firing.clone();
        async move { reminder_scheduler::workers::fire_due_timers::run_once(&state).await }
    }))
}

async fn notifier(environment: TestEnvironment) -> anyhow::Result<TestParts> {
    let config = notifier::config::Config {
        service: environment.service(),
        auth: environment.auth(),
    };
    let service = notifier::app::build_with(config, environment.clock()).await?;
    Ok(TestParts::of(service)?)
}

/// What was published since, with the mark moved.
fn news(suite: &TestSuite, heard: &mut usize) -> Vec<Value> {
    let published = suite.published();
    let news = published[*heard..].to_vec();
    *heard = published.len();
    news
}

impl Services {
    /// On every database that can be had.
    pub(crate) async fn every() -> Vec<Self> {
        let tasks = TestSuite::every(tasks).await.into_iter();
        let scheduler = TestSuite::every(scheduler).await.into_iter();
        let notifier = TestSuite::every(notifier).await.into_iter();
        let all = tasks.zip(scheduler).zip(notifier);
        all.map(|((tasks, scheduler), notifier)| Self {
            tasks,
            scheduler,
            notifier,
            heard: [0; 3],
        })
        .collect()
    }

    pub(crate) fn set_now(&self, now: DateTime<Utc>) {
        for suite in [&self.tasks, &self.scheduler, &self.notifier] {
            suite.set_now(now);
        }
    }

    /// Runs everything and delivers, each event repeatedly and out of order, until nothing is left.
    pub(crate) async fn settle(&mut self) {
        while self.settle_once().await {}
    }

    async fn settle_once(&mut self) -> bool {
        self.settle_without_scheduler().await;
        let news = news(&self.tasks, &mut self.heard[0]);
        self.scheduler.deliver_subscribed(news.clone()).await;
        self.scheduler.run_workers().await;
        !news.is_empty() || self.heard[1] < self.scheduler.published().len()
    }

    /// The same while the scheduler is down: what it is to hear is kept for it.
    pub(crate) async fn settle_without_scheduler(&mut self) {
        let told = news(&self.scheduler, &mut self.heard[1]);
        self.tasks.deliver_subscribed(told.clone()).await;
        self.tasks.run_workers().await;
        let changed = news(&self.tasks, &mut self.heard[2]);
        self.notifier.deliver_subscribed(changed).await;
        self.notifier.deliver_subscribed(told).await;
        self.notifier.run_workers().await;
    }

    pub(crate) async fn finish(self) {
        self.tasks.finish().await;
        self.scheduler.finish().await;
        self.notifier.finish().await;
    }
}
