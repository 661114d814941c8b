"""Where everything personal is: one entry for each table, by hand, held against the tables by a test."""

from __future__ import annotations

from typing import NamedTuple


class Activity(NamedTuple):
    """Something that personal data is used for: a line of a register of processing."""

    title: str
    whose: str
    basis: str
    recipients: str


class Held(NamedTuple):
    """What a table holds of a person: columns, what for, who reads it, how an erasure reaches it, its classes."""

    columns: str
    activity: str
    seen_by: str
    erasure: str
    classes: str = ""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CUSTOMERS, _STAFF = "customers and leads", "people at the desk"
ACTIVITIES = {
    "sell": Activity(
        "Taking up leads, routing and scoring them", _CUSTOMERS,
        "steps before a contract at the person's request, or legitimate interest; yours to weigh",
        "the teams that work on them"),
    "decide": Activity(
        "Deciding, by rules, models and people, and measuring how well", _CUSTOMERS,
        "that of what is decided about; for decisions that matter to the person, Art. 22 as well",
        "programs with an API key that asked"),
    "write": Activity(
        "Writing to customers", _CUSTOMERS,
        "consent, legitimate interest with the right to object, or contract, by purpose of the contact rules",
        "your mail server"),
    "prove": Activity(
        "Keeping consents, wishes and objections", _CUSTOMERS, "legal obligation (Art. 5(2), 7(1), 21)",
        "downstreams of the contact rules"),
    "rights": Activity("Answering requests under Art. 15 to 22", _CUSTOMERS, "legal obligation", "nobody"),
    "measure": Activity(
        "Experiments and holdouts", _CUSTOMERS, "legitimate interest", "nobody; figures name no person"),
    "desk": Activity(
        "Accounts, working hours and work of people at the desk", _STAFF, "employment, or legitimate interest",
        "nobody"),
    "record": Activity(
        "The record of what was done, and security", f"{_CUSTOMERS}; {_STAFF}",
        "legal obligation (Art. 5(2), 32) and legitimate interest",
        "whoever you give an export to"),
    "run": Activity("Running the program; nothing personal", "nobody", "none needed", "nobody"),
}  # fmt: skip

_CASES, _READ = "`cases:read`", "`customers:read`"
_BY_CLASS = "no customer known; ends by its class"
_BLANKED, _DROPPED, _STAYS_STAFF = "blanked", "row goes", "stays: what staff did"

TABLES = {
    # sales
    "customer": Held("name name_folded company company_folded country language time_zone value_minor merge_base",
                     "sell", _READ, _BLANKED),
    "customer_identity": Held("value", "sell", _READ, _DROPPED),
    "customer_flag": Held("value source", "sell", f"{_READ}, sensitive flags `sensitive:read`", _DROPPED),
    "customer_zone": Held("zones source", "write", _READ, _DROPPED),
    "customer_detail": Held("value", "sell", _READ, _BLANKED),
    "customer_merge": Held("brought since reason", "sell", _READ, _BLANKED),
    "timeline": Held("words", "sell", _READ, _BLANKED, "timeline"),
    "lead": Held("fingerprint fields attributes problems value_minor outcome", "sell", _CASES, _BLANKED,
                 "leads_never_qualified"),
    "lead_import": Held("name digest sketch said problem", "sell", "`cases:read`", _BY_CLASS,
                        "import_files"),
    "lead_upload": Held("data", "sell", "nobody", "goes once the file is read"),
    "lead_reject": Held("words", "sell", "`cases:read`", _BY_CLASS, "import_files"),
    "lead_touch": Held("note", "sell", _CASES, _BLANKED, "notes"),
    "form_submission": Held("content_digest text_digest signs", "sell", _CASES, _BLANKED, "form_submissions"),
    "note": Held("text found digest", "sell", _CASES, _BLANKED, "notes"),
    "record_change": Held("changes", "sell", _CASES, _BLANKED, "notes"),
    "duplicate_pair": Held("reasons flags digest", "sell", _READ, _BLANKED),
    "duplicate_seen": Held("digest", "sell", "nobody", _DROPPED),
    "assignment": Held("explanation person_id", "sell", _CASES, _BLANKED),
    # playbooks, decisions
    "playbook_case": Held("facts signal problem resume", "sell", _CASES, _BLANKED, "closed_cases"),
    "step_result": Held("result", "sell", "nobody", _DROPPED, "closed_cases"),
    "event": Held("payload", "sell", "nobody", _DROPPED, "events"),
    "ruling": Held("facts proposal record digest score value_minor", "decide", _CASES, _BLANKED),
    "decision": Held("answer reason", "decide", _CASES, _BLANKED),
    "approval": Held("digest execution", "decide", _CASES, _BLANKED),
    "decision_request": Held("body_digest", "decide", "nobody", _BLANKED, "30 days, always"),
    "unasked_execution": Held("body", "decide", "`reports:read`", _BLANKED),
    "review": Held("title title_key digest value_minor claimer_name", "decide", "the role it needs", _BLANKED),
    "verdict": Held("answer reason name digest", "decide", "the role it needs", _BLANKED),
    "label": Held("answer", "decide", "`reports:read`", _BLANKED),
    "outcome": Held("value", "decide", _CASES, "blanked but for numbers"),
    "repair": Held("note", "decide", "the role it needs", _BLANKED),
    # contact
    "contact_log": Held("address_digest tags", "write", _READ, _BLANKED, "contact_log"),
    "contact_answer": Held("words facts checks memory", "write", f"{_READ}, sensitive ones `sensitive:read`", _BLANKED,
                           "contact_log"),
    "action": Held("body result", "write", "`outbox:read`", _BLANKED, "message_copies"),
    "delivery_copy": Held("content words", "write", "`outbox:read`", _BLANKED, "message_copies"),
    "mail_sent": Held("address words thread", "write", "`outbox:read`", _BLANKED, "mail_journal"),
    "mail_taken": Held("digest address words", "write", "`outbox:read`", _BLANKED, "mail_journal"),
    "identity_code": Held("address_digest digest", "write", "nobody", _BLANKED),
    "identity_check": Held("channel level", "write", _READ, _BLANKED),
    "alert": Held("content", "write", _READ, "stays: one text for many, about a thing that happened"),
    "alert_customer": Held("customer_id case_id", "write", _READ, "stays: a number and whether they were told"),
    # consent
    "consent": Held("proof source", "prove", _READ, "proof blanked; the line stays, it shows that there was a ground"),
    "consent_delivery": Held("why", "prove", _READ, "why blanked; which system was told stays"),
    "customer_preference": Held("per_week paused_until", "prove", _READ, _DROPPED),
    "suppression": Held("address reason source", "prove", _READ, "stays as a keyed digest, so that it holds"),
    # rights
    "rights_request": Held("identity_checked reason changes result extension", "rights", "the role it needs", _BLANKED),
    "rights_file_sweep": Held("customer_ids files", "rights", "nobody", "emptied once the files are clean"),
    # measuring
    "experiment_draw": Held("unit facts arm", "measure", "`reports:read`", "stays: a number and an arm"),
    "score_model": Held("document report digest", "decide", "`playbooks:read`", "coefficients, of nobody alone"),
    # desk
    "person": Held("name email", "desk", "`people:read`", "`fairlead person disable`; the name stays with the work"),
    "person_hours": Held("hours", "desk", "`people:read`", _STAYS_STAFF),
    "absence": Held("reason", "desk", "`teams:manage`", _STAYS_STAFF),
    "team_member": Held("skills", "desk", "`people:read`", _STAYS_STAFF),
    "pool_credit": Held("credit", "desk", "`people:read`", _STAYS_STAFF),
    "pool_day": Held("due taken", "desk", "`people:read`", _STAYS_STAFF),
    "session": Held("seen_at", "desk", "nobody", _STAYS_STAFF, "sign_ins"),
    "sign_in_link": Held("used_at", "desk", "nobody", _STAYS_STAFF, "sign_ins"),
    # record
    "audit_entry": Held("commitment", "record", "`audit:read`", "stays; without its key it tells nothing"),
    "audit_payload": Held("body", "record", "`audit:read`", _DROPPED),
    "audit_key": Held("secret", "record", "nobody", _DROPPED),
}  # fmt: skip
"""Tables with something personal. Columns of ids and `STAFF` count wherever they stand."""

PLAIN = _set(
    """
    action_hold address_seed api_key audit_seal autonomy_grant bundle consent_downstream consent_notice
    contact_rules deployment draw_tally duplicate_search experiment_plan experiment_seed experiment_version
    form_refusal lead_mapping outbox outlet policy_signature pool review_tally score_model_in_use stop_switch team
"""
)
"""Tables that hold nothing of a customer, and of staff only who did something (`STAFF`)."""

STAFF = _set(
    """
    actor added_by asked_by assignee by cancelled_by claimed_by created_by decided_by deployed_by done_by made_by owner
    person_id said_by set_by raised_by signed_by started_by undone_by withdrawn_by
"""
)
"""Columns that name who did something: the id of a person, a program's key or the system."""

TECHNICAL = _set(
    """
    action_id agree_version alert_id api_key_id automatic band bundle capacity case_id channel checkpoint class code
    code_id
    connector consent_id country counts currency customer_id customer_ids data_fingerprint decision_key detail_id
    digests downstream end entries evidence experiment field flag form grant_id head id idempotency_key import_id
    input_digest is_new kept_id key kind lane language lead_id lease_token left_id level lottery mail_id mapping
    mechanism merge_id merged_into message_id missing name needs note note_id notice_digest notice_id on_expiry
    origin other_id outlet parent_id path playbook policy_version previous producer purpose quality relation
    review_id right_id role roles row ruling_id scope seal segment sender serial_key shelf signature signed_role
    source stage state strength subject subject_id subject_kind superseded_why team team_id thread token_digest
    token_hash type unit verb verdict version via wait_key wait_type way why
"""
)
"""Columns that, where an entry of `TABLES` does not name them, say how the program works and nothing of a person."""
