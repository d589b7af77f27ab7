//! Calls that wait for a person, and the tokens that pay for them, in a journal.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use cs_model::event::{Event, Outcome};
use cs_model::op_token::OperationClaims;
use cs_model::{ApprovalId, OperationTokenId, TenantId};
use cs_trust::operation;

use super::{INSTANCE, Journal, LONGEST, OPERATOR, operator, operator_key, token};
use crate::ports::*;

impl Journal {
    /// The requests before a person, once there are so many.
    pub(in crate::tests) async fn requests(&self, count: usize) -> Vec<NewApproval> {
        let mut hears = self.requests.subscribe();
        let filed = hears.wait_for(|all| all.len() >= count);
        let all = tokio::time::timeout(LONGEST, filed).await.expect("a request").unwrap();
        all.iter().map(|(request, _)| request.clone()).collect()
    }

    /// The requests that are before a person now.
    pub(in crate::tests) fn requests_now(&self) -> Vec<NewApproval> {
        self.requests.borrow().iter().map(|(request, _)| request.clone()).collect()
    }

    pub(in crate::tests) fn ruling_of(&self, id: ApprovalId) -> Ruling {
        let all = self.requests.borrow();
        all.iter().find(|(request, _)| request.id == id).unwrap().1.clone()
    }

    pub(in crate::tests) fn rule(&self, id: ApprovalId, ruling: Ruling) {
        self.requests.send_modify(|all| {
            all.iter_mut().find(|(request, _)| request.id == id).unwrap().1 = ruling;
        });
    }

    /// What an operator signs for a request.
    pub(in crate::tests) fn claims(&self, request: &NewApproval, jti: u128) -> OperationClaims {
        let now = self.time().secs();
        OperationClaims {
            iss: operator(OPERATOR),
            aud: INSTANCE.to_owned(),
            sub: request.agent,
            tenant: request.tenant,
            sid: request.session,
            task: request.task,
            server: request.server,
            tool: request.tool,
            tool_fpr: request.fingerprint,
            args: request.arguments_digest,
            pv: request.policy_version,
            jti: token(jti),
            iat: now,
            exp: now + 120,
            rsn: None,
            prs: false,
            brk: false,
        }
    }

    /// Approves a request, as the console does.
    pub(in crate::tests) fn approve(&self, request: &NewApproval, jti: u128) -> String {
        let token = operation::mint(&self.claims(request, jti), &operator_key()).unwrap();
        self.rule(request.id, Ruling::Approved { tokens: vec![token.clone()] });
        token
    }
}

#[async_trait]
impl ApprovalDesk for Journal {
    async fn file(
        &self,
        request: NewApproval,
        events: Vec<Event>,
    ) -> Result<Option<ApprovalId>, PortError> {
        let stands = |(filed, ruling): &&(NewApproval, Ruling)| {
            let open = matches!(ruling, Ruling::Pending | Ruling::Approved { .. });
            open && filed.operation == request.operation
        };
        let found = self.requests.borrow().iter().find(stands).map(|(filed, _)| filed.id);
        if let Some(id) = found {
            return Ok(Some(id));
        }
        let waits = |(it, ruling): &&(NewApproval, Ruling)| {
            let same = (it.tenant, it.agent) == (request.tenant, request.agent);
            same && *ruling == Ruling::Pending
        };
        let waiting = self.requests.borrow().iter().filter(waits).count();
        if waiting >= usize::from(request.most_waiting) {
            return Ok(None);
        }
        self.keep(events)?;
        let id = request.id;
        self.requests.send_modify(|all| all.push((request, Ruling::Pending)));
        Ok(Some(id))
    }

    async fn filed(
        &self,
        tenant: TenantId,
        id: ApprovalId,
    ) -> Result<Option<FiledCall>, PortError> {
        let all = self.requests.borrow();
        let found = all.iter().find(|(it, _)| it.id == id && it.tenant == tenant);
        Ok(found.map(|(it, _)| FiledCall {
            session: it.session,
            credential: it.credential,
            listed: it.listed.clone(),
            arguments: it.arguments.clone(),
            requested: it.requested,
        }))
    }

    async fn ruling(&self, _tenant: TenantId, id: ApprovalId) -> Result<Ruling, PortError> {
        Ok(self.ruling_of(id))
    }

    async fn decided(
        &self,
        tenant: TenantId,
        id: ApprovalId,
        _: Meanwhile,
    ) -> Result<Ruling, PortError> {
        let decided = |all: &Vec<(NewApproval, Ruling)>| {
            let fits = |(it, _): &&(NewApproval, Ruling)| it.id == id && it.tenant == tenant;
            all.iter().find(fits).is_some_and(|(_, ruling)| *ruling != Ruling::Pending)
        };
        self.requests.subscribe().wait_for(decided).await.unwrap();
        Ok(self.ruling_of(id))
    }

    async fn withdraw(
        &self,
        _tenant: TenantId,
        id: ApprovalId,
        events: Vec<Event>,
    ) -> Result<(), PortError> {
        if matches!(self.ruling_of(id), Ruling::Approved { .. } | Ruling::Pending) {
            self.keep(events)?;
            self.rule(id, Ruling::Withdrawn);
        }
        Ok(())
    }
}

#[async_trait]
impl TokenLedger for Journal {
    async fn redeem(&self, what: Redemption, events: Vec<Event>) -> Result<Spend, PortError> {
        if self.ledger_is_down.load(Ordering::SeqCst) {
            return Err(PortError { doing: "spend a token", source: None });
        }
        self.meanwhile.happen();
        let stands = |id| matches!(self.ruling_of(id), Ruling::Approved { .. });
        let all: Vec<_> = what.others.iter().chain([&what.token]).copied().collect();
        {
            let mut spent = self.spent.lock().unwrap();
            let is_spent = all.iter().any(|token| spent.contains(token));
            if is_spent || !what.approval.is_none_or(stands) {
                return Ok(Spend::Refused);
            }
            spent.extend(all);
        }
        self.keep(events)?;
        if let Some(approval) = what.approval {
            self.rule(approval, Ruling::Executed);
        }
        Ok(Spend::Spent)
    }

    async fn settled(
        &self,
        _token: OperationTokenId,
        _outcome: Outcome,
        events: Vec<Event>,
    ) -> Result<(), PortError> {
        self.keep(events)
    }
}
