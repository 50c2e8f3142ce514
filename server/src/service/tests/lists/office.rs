//! A service whose days a test moves, with a custody pool in it.
use jiff::{SignedDuration, Timestamp};

use super::{super::*, POOL};
use crate::{
    authorise::Permit,
    clock::FixedClock,
    ids::SubjectId,
    pool::Which,
    retention::{CustodyEvent, CustodyOutcome, MopiGroup, Offence, numbers::Numbers},
};

/// A service whose clock the test moves, over a data directory that outlives it.
pub(super) struct Office {
    _folder: TempDir,
    pub(super) data: DataDir,
    clock: Arc<FixedClock>,
    service: Option<Arc<Service>>,
}

impl Office {
    pub(super) fn new() -> Office {
        let folder = TempDir::new().unwrap();
        let report = init(&folder.path().join("data"), &InitOptions::default()).unwrap();
        let data = DataDir::at(report.data_dir);
        let clock = Arc::new(FixedClock::at(Timestamp::now()));
        let mut office = Office { _folder: folder, data, clock, service: None };
        office.restart();
        let service = office.service();
        let folder = office.data.pools();
        let checked =
            crate::pool::CheckedPool::check(new_pool(POOL, PoolKind::Custody), service.authoriser.purposes())
                .unwrap();
        let pool = Pool::create(&service.parts(&folder), checked, office.clock.now()).unwrap();
        service.pools.write().unwrap().insert(POOL.parse().unwrap(), Arc::new(pool));
        office
    }

    pub(super) fn restart(&mut self) {
        self.service = None;
        let service = Service::open(&self.data, self.clock.clone(), Opening::Administer).unwrap();
        for pool in service.pools() {
            pool.load(&upkeep(Action::Search)).unwrap();
        }
        self.service = Some(Arc::new(service));
    }

    pub(super) fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    pub(super) fn pool(&self) -> Arc<Pool> {
        self.service().pool(POOL).unwrap()
    }

    pub(super) fn days(&self, days: i64) {
        self.clock.advance(SignedDuration::from_hours(24 * days));
    }

    pub(super) fn turns(&self) {
        while self.service().retention_turn().unwrap() {}
    }

    /// Enrols a person with two images, one of them searchable; with a custody event that ended without a conviction, when a force is
    /// named.
    pub(super) fn person(&self, reference: &str, force: Option<&str>) -> SubjectId {
        let at = self.clock.now();
        let (person, images) = filled::person(self.service(), reference, reference.len(), at);
        let id = person.id;
        let pool = self.pool();
        pool.writer(&upkeep(Action::Enrol)).unwrap().store(&[person], &images, at).unwrap();
        if let Some(force) = force {
            self.alter(id, |facts, today| {
                let offence = Offence { code: "TH68".to_owned(), group: MopiGroup::Three, recordable: true };
                let event = CustodyEvent {
                    reference: "E1".to_owned(),
                    force: force.to_owned(),
                    occurred_on: today,
                    offences: vec![offence],
                    outcome: CustodyOutcome::NoFurtherAction,
                    outcome_on: Some(today),
                    serious: false,
                    prison: false,
                };
                facts.record_event(event, today).unwrap();
            });
        }
        id
    }

    pub(super) fn alter(
        &self,
        id: SubjectId,
        change: impl FnOnce(&mut crate::retention::Facts, jiff::civil::Date),
    ) {
        let (pool, allowed) = (self.pool(), upkeep(Action::RecordOutcome));
        let found = pool.retained(&allowed, Which::Id(id)).unwrap().unwrap();
        let mut facts = found.facts;
        let today = self.service().today();
        change(&mut facts, today);
        let rules = self.service().rules.now();
        let assessed = crate::retention::assess(&rules.set, PoolKind::Custody, &facts, today);
        let marks = crate::service::retain::marks(&rules.digest, &assessed);
        assert!(pool.keep_facts(&allowed, id, &facts, &marks).unwrap());
    }

    pub(super) fn asked(&self, role: Role, organisation: &str) -> Asked {
        let request = TokenRequest {
            subject: "p-1".to_owned(),
            name: "P".to_owned(),
            organisation: organisation.to_owned(),
            roles: vec![role],
            days: 90,
        };
        let token = Issuer::open(&self.data).unwrap().mint(&request, self.clock.now()).unwrap();
        Asked {
            peer: Peer::Local,
            rpc: "likeness.v1.Test/Test",
            token: Some(token),
            context: ContextFields {
                system_name: "likeness-cli".to_owned(),
                reference_id: "ref-1".to_owned(),
                purpose_code: "record_management".to_owned(),
                justification: "asked by a test".to_owned(),
            },
            deadline: Instant::now() + Duration::from_secs(60),
            request: b"request".to_vec(),
        }
    }

    pub(super) fn manager(&self) -> Asked {
        self.asked(Role::RecordsManager, "local")
    }

    pub(super) fn make(&self, force: &str, systems: &[&str]) -> Result<DeletionListMade, Refusal> {
        let request = MakeDeletionList {
            pool: POOL.to_owned(),
            force: force.to_owned(),
            source_systems: systems.iter().map(|system| (*system).to_owned()).collect(),
            ..MakeDeletionList::default()
        };
        told(self.service().make_deletion_list(self.manager(), &request, shown))
    }

    pub(super) fn read(&self, id: &str, recipient: &str) -> Result<DeletionListRead, Refusal> {
        let request =
            ReadDeletionList { pool: POOL.to_owned(), id: id.to_owned(), recipient: recipient.to_owned() };
        told(self.service().read_deletion_list(self.manager(), &request, shown))
    }

    pub(super) fn acknowledge(
        &self,
        asked: Asked,
        id: &str,
        lines: &[LineAnswer],
    ) -> Result<DeletionListSummary, Refusal> {
        let request = AcknowledgeRequest { pool: POOL.to_owned(), id: id.to_owned(), lines: lines.to_vec() };
        told(self.service().acknowledge_deletion_list(asked, &request, shown))
    }

    pub(super) fn late(&self) -> AgeingAnswer {
        let request = AgeingRequest { pool: POOL.to_owned(), force: String::new() };
        told(self.service().deletion_list_ageing(self.manager(), &request, shown)).unwrap()
    }

    pub(super) fn reconcile(&self, id: &str) -> ListReconciled {
        told(self.service().reconcile_deletion_list(self.manager(), POOL, id, shown)).unwrap()
    }

    pub(super) fn numbers(&self) -> Result<Numbers, Refusal> {
        let request = NumbersRequest { pool: POOL.to_owned(), publishable: false };
        let answer = told(self.service().retention_numbers(self.manager(), &request, shown))?;
        match answer.shown {
            NumbersShown::Exact(numbers) => Ok(*numbers),
            NumbersShown::Published(_) => panic!("exact numbers were asked for"),
        }
    }
}

fn upkeep(action: Action) -> Permit {
    Permit::for_upkeep(&POOL.parse().unwrap(), action, "a test")
}

pub(super) fn shown<A: Clone>(answer: &A) -> Rendered<A> {
    Rendered { message: answer.clone(), bytes: b"response".to_vec() }
}

pub(super) fn told<M>(answer: Result<Answer<M>, Unanswered>) -> Result<M, Refusal> {
    answer.map(|answer| answer.into_parts().0).map_err(refusal)
}
