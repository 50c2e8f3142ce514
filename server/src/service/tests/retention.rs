//! Random lives of records against a simple model: after every step the index, the records, the key store, the image files, the ledger
//! and the log say the same about everybody.
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use proptest::prelude::*;

use super::*;
use crate::{
    audit::verify::{VerifyOptions, verify},
    authorise::{Action, Permit},
    clock::FixedClock,
    erasure::ErasureReason,
    ids::{ImageId, SubjectId},
    pool::{Leaving, Which},
    records::State,
    retention::{CustodyEvent, CustodyOutcome, LegalHold, Lifted, MopiGroup, Offence, assess},
    seeded::runner,
    service::{erasure::Order, retain::marks},
};

const POOL: &str = "cells";
const PERSONS: u8 = 5;
/// Of the rules that the program comes with.
const DWELL_DAYS: i64 = 28;

#[derive(Clone, Debug)]
enum Step {
    Enrol(u8),
    Outcome(u8, CustodyOutcome),
    Hold(u8, i64),
    Lift(u8),
    Days(i64),
    Turn,
    BeyondUse(u8),
    EraseNow(u8),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..PERSONS;
    let outcome = prop_oneof![
        Just(CustodyOutcome::Pending),
        Just(CustodyOutcome::NoFurtherAction),
        Just(CustodyOutcome::Convicted),
    ];
    let step = prop_oneof![
        5 => who().prop_map(Step::Enrol),
        4 => (who(), outcome).prop_map(|(who, outcome)| Step::Outcome(who, outcome)),
        2 => (who(), 1i64..400).prop_map(|(who, days)| Step::Hold(who, days)),
        1 => who().prop_map(Step::Lift),
        5 => prop_oneof![Just(1i64), Just(27), Just(28), Just(200), Just(366), Just(2192)].prop_map(Step::Days),
        6 => Just(Step::Turn),
        1 => who().prop_map(Step::BeyondUse),
        2 => who().prop_map(Step::EraseNow),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 4..36)
}

/// What should be true of a person who is recorded, or was.
#[derive(Clone, Debug)]
struct Life {
    subject: SubjectId,
    images: [ImageId; 2],
    enrolled_on: Date,
    event: Option<(Date, CustodyOutcome, Date)>,
    hold_ends: Option<Date>,
    state: Where,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    Active,
    BeyondUse { until: Date },
    Erased,
}

impl Life {
    /// From when nothing retains the record, by the shipped rules as a person would read them.
    fn due_on(&self) -> Date {
        match self.event {
            None => self.enrolled_on + 6.months(),
            Some((event, CustodyOutcome::Pending, _)) => event + 1.year(),
            Some((event, CustodyOutcome::Convicted, _)) => event + 6.years(),
            Some((_, _, decided)) => decided,
        }
    }

    fn held(&self, today: Date) -> bool {
        self.hold_ends.is_some_and(|ends| ends > today)
    }
}

struct World {
    _folder: TempDir,
    data: DataDir,
    clock: Arc<FixedClock>,
    service: Option<Service>,
    lives: BTreeMap<u8, Life>,
    gone: Vec<Life>,
}

impl World {
    fn new() -> World {
        let folder = TempDir::new().unwrap();
        let report = init(&folder.path().join("data"), &InitOptions::default()).unwrap();
        let data = DataDir::at(report.data_dir);
        let clock = Arc::new(FixedClock::at(Timestamp::now()));
        let mut world =
            World { _folder: folder, data, clock, service: None, lives: BTreeMap::new(), gone: Vec::new() };
        world.open();
        let service = world.service();
        let parts_folder = world.data.pools();
        let checked =
            crate::pool::CheckedPool::check(new_pool(POOL, PoolKind::Custody), service.authoriser.purposes())
                .unwrap();
        let pool = Pool::create(&service.parts(&parts_folder), checked, world.clock.now()).unwrap();
        service.pools.write().unwrap().insert(POOL.parse().unwrap(), Arc::new(pool));
        world
    }

    fn open(&mut self) {
        self.service = None;
        let service = Service::open(&self.data, self.clock.clone(), Opening::Administer).unwrap();
        for pool in service.pools() {
            pool.load(&permit(Action::Search)).unwrap();
        }
        self.service = Some(service);
    }

    fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    fn pool(&self) -> Arc<Pool> {
        self.service().pool(POOL).unwrap()
    }

    fn today(&self) -> Date {
        self.service().today()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Enrol(who) => self.enrol(*who),
            Step::Outcome(who, outcome) => self.outcome(*who, *outcome),
            Step::Hold(who, days) => self.hold(*who, *days),
            Step::Lift(who) => self.lift(*who),
            Step::Days(days) => self.clock.advance(SignedDuration::from_hours(24 * days)),
            Step::Turn => self.turn(),
            Step::BeyondUse(who) => self.put_beyond_use(*who),
            Step::EraseNow(who) => self.erase_now(*who),
            Step::Restart => self.open(),
        }
    }

    fn enrol(&mut self, who: u8) {
        if self.lives.contains_key(&who) {
            return;
        }
        let at = self.clock.now();
        let reference = format!("p{who}-{}", self.gone.len());
        let (person, images) = filled::person(self.service(), &reference, usize::from(who), at);
        let subject = person.id;
        let ids = [images[0].id, images[1].id];
        self.pool().writer(&permit(Action::Enrol)).unwrap().store(&[person], &images, at).unwrap();
        let life = Life {
            subject,
            images: ids,
            enrolled_on: self.today(),
            event: None,
            hold_ends: None,
            state: Where::Active,
        };
        self.lives.insert(who, life);
    }

    /// Changes the facts of an active record, as the service does.
    fn alter(&self, who: u8, change: impl FnOnce(&mut crate::retention::Facts, Date)) {
        let pool = self.pool();
        let allowed = permit(Action::RecordOutcome);
        let found = pool.retained(&allowed, Which::Id(self.lives[&who].subject)).unwrap().unwrap();
        let mut facts = found.facts;
        change(&mut facts, self.today());
        let rules = self.service().rules.now();
        let assessment = assess(&rules.set, PoolKind::Custody, &facts, self.today());
        let kept = pool.keep_facts(&allowed, found.kept.id, &facts, &marks(&rules.digest, &assessment));
        assert!(kept.unwrap());
    }

    fn active(&self, who: u8) -> bool {
        self.lives.get(&who).is_some_and(|life| life.state == Where::Active)
    }

    fn outcome(&mut self, who: u8, outcome: CustodyOutcome) {
        if !self.active(who) {
            return;
        }
        let today = self.today();
        let occurred_on = self.lives[&who].enrolled_on;
        let decided = (outcome != CustodyOutcome::Pending).then_some(today);
        self.alter(who, |facts, today| {
            let event = CustodyEvent {
                reference: "E1".to_owned(),
                force: "hampshire".to_owned(),
                occurred_on,
                offences: vec![Offence {
                    code: "TH68".to_owned(),
                    group: MopiGroup::Three,
                    recordable: true,
                }],
                outcome,
                outcome_on: decided,
                serious: false,
                prison: false,
            };
            facts.record_event(event, today).unwrap();
        });
        self.lives.get_mut(&who).unwrap().event = Some((occurred_on, outcome, today));
    }

    fn hold(&mut self, who: u8, days: i64) {
        if !self.active(who) || self.lives[&who].hold_ends.is_some() {
            return;
        }
        let ends = self.today() + days.days();
        self.alter(who, |facts, today| {
            let hold = LegalHold {
                id: "H1".to_owned(),
                authority: "Crown Court".to_owned(),
                scope: "all images".to_owned(),
                reason: "criminal proceedings".to_owned(),
                placed_on: today,
                placed_by: "local/p-1".to_owned(),
                expires_on: ends,
                lifted: None,
            };
            facts.place_hold(hold, today).unwrap();
        });
        self.lives.get_mut(&who).unwrap().hold_ends = Some(ends);
    }

    fn lift(&mut self, who: u8) {
        let today = self.today();
        if !self.active(who) || !self.lives[&who].held(today) {
            return;
        }
        self.alter(who, |facts, today| {
            let lifted =
                Lifted { on: today, by: "local/p-1".to_owned(), reason: "the case has ended".to_owned() };
            facts.lift_hold("H1", lifted, today).unwrap();
        });
        self.lives.get_mut(&who).unwrap().hold_ends = Some(today);
    }

    fn turn(&mut self) {
        while self.service().retention_turn().unwrap() {}
        let today = self.today();
        let mut erased = Vec::new();
        for (who, life) in &mut self.lives {
            if life.state == Where::Active && life.due_on() <= today && !life.held(today) {
                life.state = Where::BeyondUse { until: today + DWELL_DAYS.days() };
            }
            if let Where::BeyondUse { until } = life.state
                && until <= today
            {
                life.state = Where::Erased;
                erased.push(*who);
            }
        }
        for who in erased {
            let life = self.lives.remove(&who).unwrap();
            self.gone.push(life);
        }
    }

    fn put_beyond_use(&mut self, who: u8) {
        let today = self.today();
        if !self.active(who) || self.lives[&who].held(today) {
            return;
        }
        let subject = self.lives[&who].subject;
        let out = self.service().out_of_use(ErasureReason::RetentionEnded, None, "a test");
        let pool = self.pool();
        let now = self.clock.now();
        pool.withdraw(&permit(Action::EraseSubject), &[subject], State::BeyondUse, now, Some(&out)).unwrap();
        let until = today + DWELL_DAYS.days();
        self.lives.get_mut(&who).unwrap().state = Where::BeyondUse { until };
    }

    fn erase_now(&mut self, who: u8) {
        let Some(life) = self.lives.get(&who).filter(|life| !life.held(self.today())) else { return };
        let pool = self.pool();
        let allowed = permit(Action::EraseSubject);
        let order =
            Order { subject: life.subject, reason: ErasureReason::RightToErasure, rule: None, rules: None };
        let announce = |_: &Leaving, _: &Order| {
            Entry::new(self.clock.now(), "likeness/retention", Operation::Erasure, Phase::Intent)
        };
        let service = self.service();
        let begun = service.begin_erasures(&pool, &allowed, &[order], "a test", announce).unwrap();
        let erasures: Vec<_> = begun.iter().map(|(erasure, _)| erasure.clone()).collect();
        let erased = service.carry_out(&pool, &allowed, &erasures).unwrap();
        service.record_one(service.concluded(&begun[0].1, &erased[0]).into()).unwrap();
        let mut life = self.lives.remove(&who).unwrap();
        life.state = Where::Erased;
        self.gone.push(life);
    }

    /// Every store against the model.
    fn check(&self, after: &Step) {
        let pool = self.pool();
        let look = permit(Action::ReadSubject);
        let reader = pool.reader(&look).unwrap();
        let active = self.lives.values().filter(|life| life.state == Where::Active).count();
        assert_eq!(
            reader.gallery_size().unwrap(),
            active as u64,
            "after {after:?}: one searchable image each"
        );
        let counts = pool.retention_counts(&look, self.today()).unwrap();
        assert_eq!(counts.active, active as u64, "after {after:?}");
        assert_eq!(counts.beyond_use, (self.lives.len() - active) as u64, "after {after:?}");
        assert_eq!(counts.erasing, 0);
        for life in self.lives.values().chain(&self.gone) {
            let told = format!("after {after:?}: {life:?}");
            let seen = reader.subject(life.subject).unwrap().seen().is_some();
            assert_eq!(seen, life.state == Where::Active, "{told}");
            let kept = pool.leaving(&look, life.subject).unwrap().map(|found| found.state);
            let wanted = match life.state {
                Where::Active => Some(State::Active),
                Where::BeyondUse { .. } => Some(State::BeyondUse),
                Where::Erased => None,
            };
            assert_eq!(kept, wanted, "{told}");
            let gone = life.state == Where::Erased;
            assert_eq!(pool.check_gone(&look, life.subject, &life.images).is_ok(), gone, "{told}");
            let line = self.service().ledger.of_subject(POOL, life.subject).unwrap();
            assert_eq!(line.is_some_and(|line| line.certificate.is_some()), gone, "{told}");
            for image in life.images {
                let file = self.data.pools().join(POOL).join("blobs").join(crate::blobs::file_name(image));
                assert_eq!(file.exists(), !gone, "{told}");
            }
        }
        assert!(self.service().audit().open_intents().unwrap().is_empty(), "after {after:?}");
    }

    /// The log, after the service has ended: sound, and with an outcome for everybody who was erased.
    fn check_log(mut self) {
        let concluded = self
            .service()
            .audit()
            .entries(0, 100_000)
            .unwrap()
            .into_iter()
            .filter(|stored| stored.entry.notes.contains_key("certificate_sha256"))
            .count();
        assert_eq!(concluded, self.gone.len());
        self.service = None;
        let keys = crate::keys::FileKeyStore::open(&self.data.keys()).unwrap();
        let options = VerifyOptions { keys: Some(&keys), ..VerifyOptions::default() };
        let report = verify(&self.data.audit(), &keys.audit_key(), &options).unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
    }
}

fn permit(action: Action) -> Permit {
    Permit::for_upkeep(&POOL.parse().unwrap(), action, "a test")
}

#[test]
fn every_store_says_what_a_simple_model_says() {
    let erased = std::sync::atomic::AtomicUsize::new(0);
    runner(40)
        .run(&steps(), |steps| {
            let mut world = World::new();
            for step in &steps {
                world.step(step);
                world.check(step);
            }
            erased.fetch_add(world.gone.len(), std::sync::atomic::Ordering::Relaxed);
            world.check_log();
            Ok(())
        })
        .unwrap();
    let erased = erased.into_inner();
    assert!(erased > 10, "{erased} erasures were modelled");
    println!("report: 40 random lives of a pool with {erased} erasures agree with the model in every store");
}
