-- Every table, index and sequence of the first release. Written by make migration.

CREATE SEQUENCE audit_entry_ids;

CREATE TABLE action (
	id TEXT NOT NULL,
	idempotency_key TEXT NOT NULL,
	connector TEXT NOT NULL,
	kind TEXT NOT NULL,
	body TEXT NOT NULL,
	playbook TEXT,
	checkpoint TEXT,
	case_id TEXT,
	customer_id TEXT,
	serial_key TEXT,
	state TEXT NOT NULL,
	due_at BIGINT NOT NULL,
	expires_at BIGINT,
	attempt INTEGER NOT NULL,
	result TEXT,
	thread TEXT NOT NULL,
	outlet TEXT NOT NULL,
	rank BIGINT NOT NULL,
	value_minor BIGINT,
	look_at BIGINT,
	created_at BIGINT NOT NULL,
	done_at BIGINT,
	CONSTRAINT pk_action PRIMARY KEY (id),
	CONSTRAINT uq_action_idempotency_key UNIQUE (idempotency_key)
);

CREATE INDEX ix_action_case_id ON action (case_id);

CREATE INDEX ix_action_customer_id ON action (customer_id);

CREATE INDEX ix_action_held ON action (expires_at, id) WHERE state = 'held';

CREATE INDEX ix_action_look_at ON action (look_at, id) WHERE state = 'held';

CREATE INDEX ix_action_repair ON action (state, id) WHERE state IN ('failed', 'ambiguous');

CREATE TABLE action_hold (
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	actor TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_action_hold PRIMARY KEY (kind, name)
);

CREATE TABLE address_seed (
	name TEXT NOT NULL,
	seed TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_address_seed PRIMARY KEY (name)
);

CREATE TABLE alert (
	id TEXT NOT NULL,
	content TEXT NOT NULL,
	state TEXT NOT NULL,
	raised_by TEXT NOT NULL,
	at BIGINT NOT NULL,
	resolved_at BIGINT,
	CONSTRAINT pk_alert PRIMARY KEY (id)
);

CREATE TABLE api_key (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	secret_hash TEXT NOT NULL,
	scopes TEXT NOT NULL,
	checkpoints TEXT NOT NULL,
	max_value_minor BIGINT,
	flags TEXT NOT NULL,
	webhook_secret TEXT,
	webhook_url TEXT,
	created_by TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	revoked_at BIGINT,
	CONSTRAINT pk_api_key PRIMARY KEY (id)
);

CREATE TABLE assignment (
	id TEXT NOT NULL,
	case_id TEXT NOT NULL,
	subject_id TEXT NOT NULL,
	customer_id TEXT,
	team_id TEXT,
	team TEXT NOT NULL,
	person_id TEXT,
	at BIGINT NOT NULL,
	way TEXT NOT NULL,
	made_by TEXT NOT NULL,
	explanation TEXT NOT NULL,
	open_until BIGINT NOT NULL,
	released_at BIGINT,
	superseded_at BIGINT,
	superseded_why TEXT,
	CONSTRAINT pk_assignment PRIMARY KEY (id)
);

CREATE INDEX ix_assignment_by_hand ON assignment (at) WHERE way = 'person';

CREATE INDEX ix_assignment_case_at ON assignment (case_id, at);

CREATE INDEX ix_assignment_nobody ON assignment (at) WHERE superseded_at IS NULL AND person_id IS NULL;

CREATE INDEX ix_assignment_open ON assignment (team_id, open_until, person_id) WHERE superseded_at IS NULL AND released_at IS NULL AND person_id IS NOT NULL;

CREATE INDEX ix_assignment_person_at ON assignment (person_id, at);

CREATE INDEX ix_assignment_subject_id ON assignment (subject_id, at);

CREATE INDEX ix_assignment_team_at ON assignment (team_id, at);

CREATE UNIQUE INDEX uq_assignment_case_id ON assignment (case_id) WHERE superseded_at IS NULL;

CREATE TABLE audit_entry (
	id BIGINT NOT NULL,
	at BIGINT NOT NULL,
	verb TEXT NOT NULL,
	actor TEXT NOT NULL,
	subject TEXT NOT NULL,
	scope TEXT NOT NULL,
	commitment BYTEA NOT NULL,
	CONSTRAINT pk_audit_entry PRIMARY KEY (id)
);

CREATE INDEX ix_audit_entry_steered ON audit_entry (at, id) WHERE verb IN ('case.paused', 'case.resumed', 'case.redirected', 'case.skipped', 'case.taken_over', 'case.handed_back', 'case.cancelled', 'case.retried');

CREATE INDEX ix_audit_entry_subject ON audit_entry (subject, id);

CREATE TABLE audit_key (
	scope TEXT NOT NULL,
	secret BYTEA NOT NULL,
	CONSTRAINT pk_audit_key PRIMARY KEY (scope)
);

CREATE TABLE audit_payload (
	entry_id BIGINT NOT NULL,
	scope TEXT NOT NULL,
	body TEXT NOT NULL,
	CONSTRAINT pk_audit_payload PRIMARY KEY (entry_id)
);

CREATE INDEX ix_audit_payload_scope ON audit_payload (scope);

CREATE TABLE audit_seal (
	no BIGINT NOT NULL,
	at BIGINT NOT NULL,
	entries TEXT NOT NULL,
	highest BIGINT NOT NULL,
	missing TEXT NOT NULL,
	digests BYTEA NOT NULL,
	previous BYTEA NOT NULL,
	head BYTEA NOT NULL,
	signature BYTEA NOT NULL,
	CONSTRAINT pk_audit_seal PRIMARY KEY (no)
);

CREATE TABLE autonomy_grant (
	id TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	segment TEXT NOT NULL,
	producer TEXT NOT NULL,
	level TEXT NOT NULL,
	threshold DOUBLE PRECISION,
	promised_error DOUBLE PRECISION,
	lottery_rate DOUBLE PRECISION,
	policy_version TEXT NOT NULL,
	evidence TEXT NOT NULL,
	signed_by TEXT NOT NULL,
	signed_role TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	withdrawn_at BIGINT,
	withdrawn_because TEXT,
	CONSTRAINT pk_autonomy_grant PRIMARY KEY (id)
);

CREATE INDEX ix_autonomy_grant_checkpoint ON autonomy_grant (checkpoint, segment, producer);

CREATE TABLE bundle (
	digest TEXT NOT NULL,
	files TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_bundle PRIMARY KEY (digest)
);

CREATE TABLE consent_downstream (
	name TEXT NOT NULL,
	connector TEXT NOT NULL,
	purposes TEXT NOT NULL,
	removed_at BIGINT,
	CONSTRAINT pk_consent_downstream PRIMARY KEY (name)
);

CREATE TABLE consent_notice (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	language TEXT NOT NULL,
	version BIGINT NOT NULL,
	digest TEXT NOT NULL,
	text TEXT NOT NULL,
	actor TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_consent_notice PRIMARY KEY (id),
	CONSTRAINT uq_consent_notice_name_language_version UNIQUE (name, language, version)
);

CREATE TABLE contact_answer (
	id TEXT NOT NULL,
	key TEXT NOT NULL,
	customer_id TEXT,
	channel TEXT NOT NULL,
	purpose TEXT NOT NULL,
	class TEXT NOT NULL,
	sender TEXT NOT NULL,
	kind TEXT NOT NULL,
	case_id TEXT,
	verdict TEXT NOT NULL,
	code TEXT NOT NULL,
	words TEXT NOT NULL,
	facts TEXT NOT NULL,
	checks TEXT NOT NULL,
	memory TEXT NOT NULL,
	allowed_at BIGINT,
	at BIGINT NOT NULL,
	CONSTRAINT pk_contact_answer PRIMARY KEY (id)
);

CREATE INDEX ix_contact_answer_at ON contact_answer (at, id);

CREATE INDEX ix_contact_answer_customer_id ON contact_answer (customer_id, at, id);

CREATE INDEX ix_contact_answer_key ON contact_answer (key, at);

CREATE TABLE contact_log (
	id TEXT NOT NULL,
	key TEXT NOT NULL,
	customer_id TEXT,
	channel TEXT NOT NULL,
	purpose TEXT NOT NULL,
	class TEXT NOT NULL,
	sender TEXT NOT NULL,
	kind TEXT NOT NULL,
	tags TEXT NOT NULL,
	at BIGINT NOT NULL,
	state TEXT NOT NULL,
	address_digest TEXT NOT NULL,
	case_id TEXT,
	settled_at BIGINT,
	released_at BIGINT,
	CONSTRAINT pk_contact_log PRIMARY KEY (id),
	CONSTRAINT uq_contact_log_key UNIQUE (key)
);

CREATE INDEX ix_contact_log_address_digest ON contact_log (address_digest, at) WHERE customer_id IS NULL;

CREATE INDEX ix_contact_log_customer_id ON contact_log (customer_id, at);

CREATE INDEX ix_contact_log_reserved ON contact_log (at) WHERE state = 'reserved';

CREATE TABLE contact_rules (
	id TEXT NOT NULL,
	version TEXT NOT NULL,
	text TEXT NOT NULL,
	deployed_by TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_contact_rules PRIMARY KEY (id)
);

CREATE TABLE customer (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	name_folded TEXT COLLATE "C" NOT NULL,
	company TEXT NOT NULL,
	company_folded TEXT COLLATE "C" NOT NULL,
	country TEXT,
	language TEXT,
	time_zone TEXT,
	owner TEXT,
	value_minor BIGINT,
	created_at BIGINT NOT NULL,
	erased_at BIGINT,
	merged_into TEXT,
	merge_base TEXT,
	CONSTRAINT pk_customer PRIMARY KEY (id),
	CONSTRAINT fk_customer_merged_into FOREIGN KEY(merged_into) REFERENCES customer (id)
);

CREATE INDEX ix_customer_company_folded ON customer (company_folded, id);

CREATE INDEX ix_customer_company_owner ON customer (company_folded, owner) WHERE owner IS NOT NULL AND erased_at IS NULL;

CREATE INDEX ix_customer_id_ordered ON customer (id COLLATE "C");

CREATE INDEX ix_customer_merged_into ON customer (merged_into) WHERE merged_into IS NOT NULL;

CREATE INDEX ix_customer_name_folded ON customer (name_folded, id);

CREATE TABLE decision_request (
	api_key_id TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	key TEXT NOT NULL,
	body_digest TEXT NOT NULL,
	ruling_id TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_decision_request PRIMARY KEY (api_key_id, checkpoint, key)
);

CREATE INDEX ix_decision_request_api_key_id ON decision_request (api_key_id, ruling_id);

CREATE INDEX ix_decision_request_at ON decision_request (at);

CREATE TABLE draw_tally (
	id TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	segment TEXT NOT NULL,
	producer TEXT NOT NULL,
	change BIGINT NOT NULL,
	CONSTRAINT pk_draw_tally PRIMARY KEY (id)
);

CREATE TABLE duplicate_search (
	id TEXT NOT NULL,
	asked_by TEXT NOT NULL,
	asked_at BIGINT NOT NULL,
	done_at BIGINT,
	CONSTRAINT pk_duplicate_search PRIMARY KEY (id)
);

CREATE INDEX ix_duplicate_search_open ON duplicate_search (asked_at) WHERE done_at IS NULL;

CREATE TABLE duplicate_seen (
	customer_id TEXT NOT NULL,
	digest TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_duplicate_seen PRIMARY KEY (customer_id)
);

CREATE TABLE event (
	id TEXT NOT NULL,
	type TEXT NOT NULL,
	key TEXT NOT NULL,
	at BIGINT NOT NULL,
	due_at BIGINT NOT NULL,
	payload TEXT NOT NULL,
	handled_at BIGINT,
	CONSTRAINT pk_event PRIMARY KEY (id)
);

CREATE INDEX ix_event_open_due_at ON event (due_at) WHERE handled_at IS NULL;

CREATE INDEX ix_event_type_key ON event (type, key, at);

CREATE TABLE experiment_draw (
	experiment TEXT NOT NULL,
	unit TEXT NOT NULL,
	version TEXT NOT NULL,
	eligible BOOLEAN NOT NULL,
	why TEXT NOT NULL,
	arm TEXT,
	probability DOUBLE PRECISION NOT NULL,
	at BIGINT NOT NULL,
	facts TEXT NOT NULL,
	case_id TEXT,
	CONSTRAINT pk_experiment_draw PRIMARY KEY (experiment, unit)
);

CREATE INDEX ix_experiment_draw_counts ON experiment_draw (experiment, version, arm);

CREATE TABLE experiment_plan (
	id TEXT NOT NULL,
	experiment TEXT NOT NULL,
	digest TEXT NOT NULL,
	text TEXT NOT NULL,
	state TEXT NOT NULL,
	winner TEXT,
	reason TEXT NOT NULL,
	by TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_experiment_plan PRIMARY KEY (id)
);

CREATE INDEX ix_experiment_plan_newest ON experiment_plan (experiment, at, id);

CREATE TABLE experiment_seed (
	name TEXT NOT NULL,
	seed TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_experiment_seed PRIMARY KEY (name)
);

CREATE TABLE experiment_version (
	experiment TEXT NOT NULL,
	version TEXT NOT NULL,
	unit TEXT NOT NULL,
	arms TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_experiment_version PRIMARY KEY (experiment, version)
);

CREATE TABLE form_refusal (
	form TEXT NOT NULL,
	kind TEXT NOT NULL,
	posts BIGINT NOT NULL,
	last_at BIGINT NOT NULL,
	CONSTRAINT pk_form_refusal PRIMARY KEY (form, kind)
);

CREATE TABLE identity_check (
	id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	channel TEXT NOT NULL,
	level TEXT NOT NULL,
	code_id TEXT NOT NULL,
	by TEXT NOT NULL,
	at BIGINT NOT NULL,
	until BIGINT NOT NULL,
	CONSTRAINT pk_identity_check PRIMARY KEY (id),
	CONSTRAINT uq_identity_check_code_id UNIQUE (code_id)
);

CREATE INDEX ix_identity_check_customer_id ON identity_check (customer_id, until);

CREATE TABLE identity_code (
	id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	channel TEXT NOT NULL,
	address_digest TEXT NOT NULL,
	digest TEXT NOT NULL,
	state TEXT NOT NULL,
	tries BIGINT NOT NULL,
	asked_by TEXT NOT NULL,
	at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	CONSTRAINT pk_identity_code PRIMARY KEY (id)
);

CREATE INDEX ix_identity_code_address_digest ON identity_code (address_digest, at);

CREATE INDEX ix_identity_code_customer_id ON identity_code (customer_id, at);

CREATE TABLE lead_import (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	digest TEXT NOT NULL,
	playbook TEXT NOT NULL,
	mapping TEXT NOT NULL,
	state TEXT NOT NULL,
	rows INTEGER NOT NULL,
	counts TEXT NOT NULL,
	started_by TEXT NOT NULL,
	started_at BIGINT NOT NULL,
	finished_at BIGINT,
	origin TEXT NOT NULL,
	country TEXT NOT NULL,
	said TEXT,
	sketch TEXT,
	quality TEXT,
	bytes BIGINT NOT NULL,
	bytes_read BIGINT NOT NULL,
	problem TEXT,
	cancelled_by TEXT,
	cancelled_at BIGINT,
	lease_token TEXT,
	lease_until BIGINT,
	CONSTRAINT pk_lead_import PRIMARY KEY (id)
);

CREATE INDEX ix_lead_import_digest ON lead_import (digest);

CREATE INDEX ix_lead_import_under_way ON lead_import (state) WHERE state IN ('receiving', 'draft', 'waiting', 'reading', 'cancelling');

CREATE TABLE lead_mapping (
	key TEXT NOT NULL,
	mapping TEXT NOT NULL,
	import_id TEXT NOT NULL,
	said_by TEXT NOT NULL,
	said_at BIGINT NOT NULL,
	CONSTRAINT pk_lead_mapping PRIMARY KEY (key)
);

CREATE TABLE lead_touch (
	id TEXT NOT NULL,
	lead_id TEXT NOT NULL,
	case_id TEXT NOT NULL,
	customer_id TEXT,
	person_id TEXT,
	kind TEXT NOT NULL,
	at BIGINT NOT NULL,
	note TEXT NOT NULL,
	made_by TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	CONSTRAINT pk_lead_touch PRIMARY KEY (id)
);

CREATE INDEX ix_lead_touch_customer_id ON lead_touch (customer_id);

CREATE INDEX ix_lead_touch_lead_id ON lead_touch (lead_id, at);

CREATE TABLE mail_sent (
	id TEXT NOT NULL,
	key TEXT NOT NULL,
	message_id TEXT NOT NULL,
	customer_id TEXT,
	address TEXT NOT NULL,
	purpose TEXT NOT NULL,
	thread TEXT NOT NULL,
	state TEXT NOT NULL,
	words TEXT NOT NULL,
	attempt BIGINT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_mail_sent PRIMARY KEY (id),
	CONSTRAINT uq_mail_sent_key UNIQUE (key)
);

CREATE INDEX ix_mail_sent_at ON mail_sent (at);

CREATE INDEX ix_mail_sent_customer_id ON mail_sent (customer_id);

CREATE INDEX ix_mail_sent_thread ON mail_sent (customer_id, thread, at) WHERE thread <> '';

CREATE TABLE mail_taken (
	id TEXT NOT NULL,
	digest TEXT NOT NULL,
	kind TEXT NOT NULL,
	strength TEXT NOT NULL,
	code TEXT NOT NULL,
	words TEXT NOT NULL,
	mail_id TEXT,
	customer_id TEXT,
	address TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_mail_taken PRIMARY KEY (id),
	CONSTRAINT uq_mail_taken_digest UNIQUE (digest)
);

CREATE INDEX ix_mail_taken_address ON mail_taken (address, strength, at);

CREATE INDEX ix_mail_taken_customer_id ON mail_taken (customer_id);

CREATE TABLE note (
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	text TEXT NOT NULL,
	found TEXT NOT NULL,
	digest TEXT NOT NULL,
	playbook TEXT NOT NULL,
	case_id TEXT NOT NULL,
	customer_id TEXT,
	added_by TEXT NOT NULL,
	added_at BIGINT NOT NULL,
	CONSTRAINT pk_note PRIMARY KEY (id)
);

CREATE INDEX ix_note_customer_id ON note (customer_id);

CREATE INDEX ix_note_digest ON note (playbook, digest);

CREATE UNIQUE INDEX ix_note_case_id ON note (case_id);

CREATE TABLE outcome (
	id TEXT NOT NULL,
	ruling_id TEXT NOT NULL,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	source TEXT NOT NULL,
	key TEXT NOT NULL,
	happened_at BIGINT NOT NULL,
	recorded_at BIGINT NOT NULL,
	CONSTRAINT pk_outcome PRIMARY KEY (id),
	CONSTRAINT uq_outcome_source_key UNIQUE (source, key)
);

CREATE INDEX ix_outcome_ruling_id ON outcome (ruling_id);

CREATE TABLE outlet (
	name TEXT NOT NULL,
	tokens FLOAT NOT NULL,
	tokens_at BIGINT NOT NULL,
	failures INTEGER NOT NULL,
	opened_at BIGINT,
	probe_at BIGINT,
	pauses INTEGER NOT NULL,
	problem TEXT NOT NULL,
	CONSTRAINT pk_outlet PRIMARY KEY (name)
);

CREATE TABLE person (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	email TEXT NOT NULL,
	roles TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	disabled_at BIGINT,
	CONSTRAINT pk_person PRIMARY KEY (id),
	CONSTRAINT uq_person_email UNIQUE (email)
);

CREATE TABLE playbook_case (
	id TEXT NOT NULL,
	playbook TEXT NOT NULL,
	bundle TEXT NOT NULL,
	stage TEXT NOT NULL,
	state TEXT NOT NULL,
	lane TEXT NOT NULL,
	subject_kind TEXT NOT NULL,
	subject_id TEXT NOT NULL,
	customer_id TEXT,
	serial_key TEXT,
	parent_id TEXT,
	facts TEXT NOT NULL,
	due_at BIGINT NOT NULL,
	wait_type TEXT,
	wait_key TEXT,
	mark_at BIGINT NOT NULL,
	signal TEXT,
	attempt INTEGER NOT NULL,
	hops INTEGER NOT NULL,
	automatic TEXT,
	leases INTEGER NOT NULL,
	version INTEGER NOT NULL,
	lease_token TEXT,
	lease_until BIGINT,
	problem TEXT,
	resume TEXT,
	"end" TEXT,
	created_at BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	ended_at BIGINT,
	CONSTRAINT pk_playbook_case PRIMARY KEY (id)
);

CREATE INDEX ix_playbook_case_bundle ON playbook_case (playbook, bundle) WHERE ended_at IS NULL;

CREATE INDEX ix_playbook_case_customer_id ON playbook_case (customer_id) WHERE ended_at IS NULL;

CREATE INDEX ix_playbook_case_ended ON playbook_case (playbook, ended_at, "end", created_at) WHERE ended_at IS NOT NULL;

CREATE INDEX ix_playbook_case_lease_token ON playbook_case (lease_token);

CREATE INDEX ix_playbook_case_parent_id ON playbook_case (parent_id);

CREATE INDEX ix_playbook_case_ready ON playbook_case (state, lane, due_at) WHERE ended_at IS NULL;

CREATE INDEX ix_playbook_case_stage ON playbook_case (playbook, stage, state, changed_at) WHERE ended_at IS NULL;

CREATE INDEX ix_playbook_case_subject ON playbook_case (subject_kind, subject_id);

CREATE INDEX ix_playbook_case_wait ON playbook_case (wait_key, wait_type) WHERE ended_at IS NULL;

CREATE TABLE policy_signature (
	id TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	policy_version TEXT NOT NULL,
	covers TEXT NOT NULL,
	signed_by TEXT NOT NULL,
	signed_role TEXT NOT NULL,
	reason TEXT NOT NULL,
	at BIGINT NOT NULL,
	withdrawn_at BIGINT,
	withdrawn_by TEXT,
	withdrawn_because TEXT,
	CONSTRAINT pk_policy_signature PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_policy_signature_in_force ON policy_signature (checkpoint, policy_version) WHERE withdrawn_at IS NULL;

CREATE TABLE pool (
	team_id TEXT NOT NULL,
	allocated BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	CONSTRAINT pk_pool PRIMARY KEY (team_id)
);

CREATE TABLE pool_credit (
	team_id TEXT NOT NULL,
	person_id TEXT NOT NULL,
	credit BIGINT NOT NULL,
	CONSTRAINT pk_pool_credit PRIMARY KEY (team_id, person_id)
);

CREATE TABLE pool_day (
	team_id TEXT NOT NULL,
	person_id TEXT NOT NULL,
	day INTEGER NOT NULL,
	due BIGINT NOT NULL,
	taken INTEGER NOT NULL,
	CONSTRAINT pk_pool_day PRIMARY KEY (team_id, day, person_id)
);

CREATE TABLE review_tally (
	id TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	role TEXT NOT NULL,
	bucket TEXT NOT NULL,
	change BIGINT NOT NULL,
	CONSTRAINT pk_review_tally PRIMARY KEY (id)
);

CREATE TABLE rights_file_sweep (
	id TEXT NOT NULL,
	customer_ids TEXT NOT NULL,
	files TEXT NOT NULL,
	asked_at BIGINT NOT NULL,
	done_at BIGINT,
	CONSTRAINT pk_rights_file_sweep PRIMARY KEY (id)
);

CREATE INDEX ix_rights_file_sweep_open ON rights_file_sweep (asked_at) WHERE done_at IS NULL;

CREATE TABLE ruling (
	id TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	decision_key TEXT NOT NULL,
	case_id TEXT,
	customer_id TEXT,
	path TEXT NOT NULL,
	segment TEXT NOT NULL,
	producer TEXT NOT NULL,
	policy_version TEXT NOT NULL,
	grant_id TEXT,
	score DOUBLE PRECISION,
	value_minor BIGINT,
	digest TEXT NOT NULL,
	proposal TEXT NOT NULL,
	facts TEXT NOT NULL,
	record TEXT NOT NULL,
	lottery BOOLEAN NOT NULL,
	lottery_p DOUBLE PRECISION NOT NULL,
	created_at BIGINT NOT NULL,
	CONSTRAINT pk_ruling PRIMARY KEY (id),
	CONSTRAINT uq_ruling_checkpoint_decision_key UNIQUE (checkpoint, decision_key)
);

CREATE INDEX ix_ruling_case_id ON ruling (case_id);

CREATE INDEX ix_ruling_checkpoint ON ruling (checkpoint, created_at, path, case_id);

CREATE INDEX ix_ruling_customer_id ON ruling (customer_id);

CREATE TABLE score_model (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	digest TEXT NOT NULL,
	seal TEXT NOT NULL,
	data_fingerprint TEXT NOT NULL,
	report TEXT NOT NULL,
	document BYTEA NOT NULL,
	origin TEXT NOT NULL,
	note TEXT NOT NULL,
	made_by TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	CONSTRAINT pk_score_model PRIMARY KEY (id),
	CONSTRAINT uq_score_model_name_version UNIQUE (name, version)
);

CREATE TABLE step_result (
	case_id TEXT NOT NULL,
	stage TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	input_digest TEXT NOT NULL,
	result TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_step_result PRIMARY KEY (case_id, stage, attempt, input_digest)
);

CREATE TABLE stop_switch (
	scope TEXT NOT NULL,
	words TEXT NOT NULL,
	set_by TEXT NOT NULL,
	set_at BIGINT NOT NULL,
	CONSTRAINT pk_stop_switch PRIMARY KEY (scope)
);

CREATE TABLE suppression (
	id TEXT NOT NULL,
	channel TEXT NOT NULL,
	address TEXT NOT NULL,
	state TEXT NOT NULL,
	scope TEXT NOT NULL,
	reason TEXT NOT NULL,
	source TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_suppression PRIMARY KEY (id)
);

CREATE INDEX ix_suppression_address ON suppression (address, channel, at);

CREATE TABLE team (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	title TEXT NOT NULL,
	off_hours TEXT NOT NULL,
	nobody TEXT NOT NULL,
	fallback TEXT NOT NULL,
	owner_wins BOOLEAN NOT NULL,
	owner_hours FLOAT NOT NULL,
	open_days INTEGER NOT NULL,
	created_at BIGINT NOT NULL,
	closed_at BIGINT,
	CONSTRAINT pk_team PRIMARY KEY (id),
	CONSTRAINT uq_team_name UNIQUE (name)
);

CREATE TABLE unasked_execution (
	id TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	api_key_id TEXT NOT NULL,
	ruling_id TEXT,
	why TEXT NOT NULL,
	body TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_unasked_execution PRIMARY KEY (id)
);

CREATE TABLE absence (
	id TEXT NOT NULL,
	person_id TEXT NOT NULL,
	from_at BIGINT NOT NULL,
	until_at BIGINT NOT NULL,
	reason TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	withdrawn_at BIGINT,
	CONSTRAINT pk_absence PRIMARY KEY (id),
	CONSTRAINT fk_absence_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_absence_person_id ON absence (person_id, until_at);

CREATE TABLE alert_customer (
	alert_id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	case_id TEXT NOT NULL,
	CONSTRAINT pk_alert_customer PRIMARY KEY (alert_id, customer_id),
	CONSTRAINT fk_alert_customer_alert_id FOREIGN KEY(alert_id) REFERENCES alert (id)
);

CREATE TABLE approval (
	ruling_id TEXT NOT NULL,
	token_hash TEXT NOT NULL,
	digest TEXT NOT NULL,
	issued_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	consumed_at BIGINT,
	execution TEXT,
	CONSTRAINT pk_approval PRIMARY KEY (ruling_id),
	CONSTRAINT fk_approval_ruling_id FOREIGN KEY(ruling_id) REFERENCES ruling (id)
);

CREATE INDEX ix_approval_open ON approval (consumed_at, expires_at);

CREATE TABLE consent (
	id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	purpose TEXT NOT NULL,
	channel TEXT NOT NULL,
	state TEXT NOT NULL,
	mechanism TEXT NOT NULL,
	proof TEXT NOT NULL,
	source TEXT NOT NULL,
	actor TEXT NOT NULL,
	notice_id TEXT,
	expires_at BIGINT,
	at BIGINT NOT NULL,
	recorded_at BIGINT NOT NULL,
	CONSTRAINT pk_consent PRIMARY KEY (id),
	CONSTRAINT fk_consent_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
	CONSTRAINT fk_consent_notice_id FOREIGN KEY(notice_id) REFERENCES consent_notice (id)
);

CREATE INDEX ix_consent_customer_id ON consent (customer_id, purpose, channel, at);

CREATE TABLE customer_detail (
	customer_id TEXT NOT NULL,
	field TEXT NOT NULL,
	value TEXT,
	set_by TEXT NOT NULL,
	revision INTEGER NOT NULL,
	set_at BIGINT NOT NULL,
	CONSTRAINT pk_customer_detail PRIMARY KEY (customer_id, field),
	CONSTRAINT fk_customer_detail_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE TABLE customer_flag (
	id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	flag TEXT NOT NULL,
	value TEXT,
	source TEXT NOT NULL,
	owner TEXT NOT NULL,
	set_at BIGINT NOT NULL,
	expires_at BIGINT,
	CONSTRAINT pk_customer_flag PRIMARY KEY (id),
	CONSTRAINT fk_customer_flag_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE INDEX ix_customer_flag_customer_id ON customer_flag (customer_id, flag, set_at);

CREATE TABLE customer_identity (
	kind TEXT NOT NULL,
	value TEXT COLLATE "C" NOT NULL,
	customer_id TEXT NOT NULL,
	verified_at BIGINT,
	source TEXT NOT NULL,
	added_at BIGINT NOT NULL,
	CONSTRAINT pk_customer_identity PRIMARY KEY (kind, value),
	CONSTRAINT fk_customer_identity_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE INDEX ix_customer_identity_customer_id ON customer_identity (customer_id);

CREATE TABLE customer_merge (
	id TEXT NOT NULL,
	kept_id TEXT NOT NULL,
	other_id TEXT NOT NULL,
	reason TEXT NOT NULL,
	actor TEXT NOT NULL,
	brought TEXT NOT NULL,
	at BIGINT NOT NULL,
	undone_at BIGINT,
	undone_by TEXT,
	since TEXT,
	CONSTRAINT pk_customer_merge PRIMARY KEY (id),
	CONSTRAINT fk_customer_merge_kept_id FOREIGN KEY(kept_id) REFERENCES customer (id),
	CONSTRAINT fk_customer_merge_other_id FOREIGN KEY(other_id) REFERENCES customer (id)
);

CREATE INDEX ix_customer_merge_kept_id ON customer_merge (kept_id);

CREATE UNIQUE INDEX uq_customer_merge_other_id ON customer_merge (other_id) WHERE undone_at IS NULL;

CREATE TABLE customer_preference (
	id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	purpose TEXT NOT NULL,
	channel TEXT NOT NULL,
	per_week BIGINT,
	paused_until BIGINT,
	source TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_customer_preference PRIMARY KEY (id),
	CONSTRAINT fk_customer_preference_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE INDEX ix_customer_preference_customer_id ON customer_preference (customer_id, purpose, channel, at);

CREATE TABLE customer_zone (
	id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	zones TEXT NOT NULL,
	evidence TEXT NOT NULL,
	source TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_customer_zone PRIMARY KEY (id),
	CONSTRAINT fk_customer_zone_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE INDEX ix_customer_zone_customer_id ON customer_zone (customer_id, at);

CREATE TABLE decision (
	ruling_id TEXT NOT NULL,
	verdict TEXT NOT NULL,
	answer TEXT,
	decided_by TEXT NOT NULL,
	reason TEXT NOT NULL,
	decided_at BIGINT NOT NULL,
	effective_at BIGINT NOT NULL,
	CONSTRAINT pk_decision PRIMARY KEY (ruling_id),
	CONSTRAINT fk_decision_ruling_id FOREIGN KEY(ruling_id) REFERENCES ruling (id)
);

CREATE TABLE delivery_copy (
	action_id TEXT NOT NULL,
	state TEXT NOT NULL,
	words TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	at BIGINT NOT NULL,
	content TEXT NOT NULL,
	CONSTRAINT pk_delivery_copy PRIMARY KEY (action_id),
	CONSTRAINT fk_delivery_copy_action_id FOREIGN KEY(action_id) REFERENCES action (id)
);

CREATE TABLE deployment (
	id TEXT NOT NULL,
	bundle TEXT NOT NULL,
	deployed_by TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_deployment PRIMARY KEY (id),
	CONSTRAINT fk_deployment_bundle FOREIGN KEY(bundle) REFERENCES bundle (digest)
);

CREATE TABLE duplicate_pair (
	id TEXT NOT NULL,
	left_id TEXT NOT NULL,
	right_id TEXT NOT NULL,
	relation TEXT NOT NULL,
	score FLOAT NOT NULL,
	band TEXT NOT NULL,
	reasons TEXT NOT NULL,
	flags TEXT NOT NULL,
	digest TEXT NOT NULL,
	state TEXT NOT NULL,
	case_id TEXT NOT NULL,
	merge_id TEXT,
	found_at BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	CONSTRAINT pk_duplicate_pair PRIMARY KEY (id),
	CONSTRAINT uq_duplicate_pair_left_id_right_id UNIQUE (left_id, right_id),
	CONSTRAINT fk_duplicate_pair_left_id FOREIGN KEY(left_id) REFERENCES customer (id),
	CONSTRAINT fk_duplicate_pair_right_id FOREIGN KEY(right_id) REFERENCES customer (id)
);

CREATE INDEX ix_duplicate_pair_merge_id ON duplicate_pair (merge_id);

CREATE INDEX ix_duplicate_pair_right_id ON duplicate_pair (right_id);

CREATE INDEX ix_duplicate_pair_state ON duplicate_pair (state, id);

CREATE TABLE lead (
	id TEXT NOT NULL,
	import_id TEXT,
	row_no INTEGER NOT NULL,
	playbook TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	case_id TEXT,
	fields TEXT NOT NULL,
	attributes TEXT NOT NULL,
	problems TEXT NOT NULL,
	value_minor BIGINT,
	currency TEXT NOT NULL,
	outcome TEXT,
	created_at BIGINT NOT NULL,
	cancelled_at BIGINT,
	CONSTRAINT pk_lead PRIMARY KEY (id),
	CONSTRAINT fk_lead_import_id FOREIGN KEY(import_id) REFERENCES lead_import (id)
);

CREATE INDEX ix_lead_customer_id ON lead (customer_id);

CREATE INDEX ix_lead_import_id ON lead (import_id, row_no);

CREATE UNIQUE INDEX uq_lead_fingerprint ON lead (playbook, fingerprint);

CREATE TABLE lead_reject (
	import_id TEXT NOT NULL,
	row_no INTEGER NOT NULL,
	kind TEXT NOT NULL,
	code TEXT NOT NULL,
	words TEXT NOT NULL,
	CONSTRAINT pk_lead_reject PRIMARY KEY (import_id, row_no),
	CONSTRAINT fk_lead_reject_import_id FOREIGN KEY(import_id) REFERENCES lead_import (id)
);

CREATE TABLE lead_upload (
	import_id TEXT NOT NULL,
	seq INTEGER NOT NULL,
	data BYTEA NOT NULL,
	CONSTRAINT pk_lead_upload PRIMARY KEY (import_id, seq),
	CONSTRAINT fk_lead_upload_import_id FOREIGN KEY(import_id) REFERENCES lead_import (id)
);

CREATE TABLE outbox (
	action_id TEXT NOT NULL,
	serial_key TEXT,
	thread TEXT NOT NULL,
	outlet TEXT NOT NULL,
	rank BIGINT NOT NULL,
	due_at BIGINT NOT NULL,
	ready_at BIGINT NOT NULL,
	attempt INTEGER NOT NULL,
	lease_token TEXT,
	lease_until BIGINT,
	withdrawn BOOLEAN NOT NULL,
	sending BOOLEAN NOT NULL,
	problem TEXT,
	CONSTRAINT pk_outbox PRIMARY KEY (action_id),
	CONSTRAINT fk_outbox_action_id FOREIGN KEY(action_id) REFERENCES action (id)
);

CREATE INDEX ix_outbox_lease_token ON outbox (lease_token);

CREATE INDEX ix_outbox_leased ON outbox (serial_key, lease_until) WHERE lease_until IS NOT NULL;

CREATE INDEX ix_outbox_rank ON outbox (outlet, rank, ready_at, action_id);

CREATE INDEX ix_outbox_ready_at ON outbox (outlet, ready_at, action_id);

CREATE INDEX ix_outbox_serial_key ON outbox (serial_key, thread, due_at, action_id);

CREATE TABLE person_hours (
	id TEXT NOT NULL,
	person_id TEXT NOT NULL,
	hours TEXT,
	set_at BIGINT NOT NULL,
	CONSTRAINT pk_person_hours PRIMARY KEY (id),
	CONSTRAINT fk_person_hours_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_person_hours_person_id ON person_hours (person_id, set_at);

CREATE TABLE record_change (
	id TEXT NOT NULL,
	note_id TEXT NOT NULL,
	case_id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	lead_id TEXT,
	changes TEXT NOT NULL,
	decided_by TEXT NOT NULL,
	at BIGINT NOT NULL,
	undone_at BIGINT,
	undone_by TEXT,
	CONSTRAINT pk_record_change PRIMARY KEY (id),
	CONSTRAINT fk_record_change_note_id FOREIGN KEY(note_id) REFERENCES note (id)
);

CREATE INDEX ix_record_change_customer_id ON record_change (customer_id);

CREATE INDEX ix_record_change_note_id ON record_change (note_id);

CREATE UNIQUE INDEX ix_record_change_case_id ON record_change (case_id);

CREATE TABLE review (
	id TEXT NOT NULL,
	ruling_id TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	kind TEXT NOT NULL,
	playbook TEXT,
	case_id TEXT,
	customer_id TEXT,
	path TEXT NOT NULL,
	blind BOOLEAN NOT NULL,
	state TEXT NOT NULL,
	shelf TEXT NOT NULL,
	rank BIGINT NOT NULL,
	title TEXT NOT NULL,
	title_key TEXT COLLATE "C" NOT NULL,
	segment TEXT NOT NULL,
	needs_information BOOLEAN NOT NULL,
	value_minor BIGINT,
	priority INTEGER NOT NULL,
	role TEXT NOT NULL,
	quorum INTEGER NOT NULL,
	needs TEXT NOT NULL,
	assignee TEXT,
	claimed_by TEXT,
	claimer_name TEXT,
	claimed_until BIGINT,
	snoozed_until BIGINT,
	paused_at BIGINT,
	clock_left BIGINT,
	due_at BIGINT,
	overdue_since BIGINT,
	on_expiry TEXT NOT NULL,
	digest TEXT NOT NULL,
	version INTEGER NOT NULL,
	created_at BIGINT NOT NULL,
	closed_at BIGINT,
	effective_at BIGINT,
	CONSTRAINT pk_review PRIMARY KEY (id),
	CONSTRAINT fk_review_ruling_id FOREIGN KEY(ruling_id) REFERENCES ruling (id)
);

CREATE INDEX ix_review_case_id ON review (case_id);

CREATE INDEX ix_review_customer_id ON review (customer_id, state, rank, id);

CREATE INDEX ix_review_open_assignee ON review (assignee, shelf, rank, id) WHERE closed_at IS NULL AND assignee IS NOT NULL;

CREATE INDEX ix_review_open_checkpoint ON review (checkpoint, role, shelf, rank, id) WHERE closed_at IS NULL;

CREATE INDEX ix_review_open_claimed_until ON review (claimed_until, id) WHERE closed_at IS NULL AND claimed_until IS NOT NULL;

CREATE INDEX ix_review_open_due_at ON review (due_at, id) WHERE closed_at IS NULL AND due_at IS NOT NULL AND overdue_since IS NULL;

CREATE INDEX ix_review_open_label ON review (role, rank, id) WHERE closed_at IS NULL AND kind = 'label';

CREATE INDEX ix_review_open_needs_information ON review (role, rank, id) WHERE closed_at IS NULL AND needs_information IS true;

CREATE INDEX ix_review_open_overdue_since ON review (role, overdue_since, id) WHERE closed_at IS NULL AND overdue_since IS NOT NULL;

CREATE INDEX ix_review_open_role ON review (role, shelf, rank, id) WHERE closed_at IS NULL;

CREATE INDEX ix_review_open_snoozed_until ON review (snoozed_until, id) WHERE closed_at IS NULL AND snoozed_until IS NOT NULL;

CREATE INDEX ix_review_open_title_key ON review (role, title_key, id) WHERE closed_at IS NULL;

CREATE INDEX ix_review_open_value_minor ON review (role, value_minor, id) WHERE closed_at IS NULL AND value_minor IS NOT NULL;

CREATE INDEX ix_review_ruling_id ON review (ruling_id);

CREATE TABLE rights_request (
	id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	case_id TEXT NOT NULL,
	asked_by TEXT NOT NULL,
	identity_checked TEXT NOT NULL,
	reason TEXT NOT NULL,
	changes TEXT NOT NULL,
	asked_at BIGINT NOT NULL,
	due_at BIGINT,
	origin TEXT NOT NULL,
	extension TEXT,
	decided_by TEXT,
	decided_at BIGINT,
	result TEXT,
	CONSTRAINT pk_rights_request PRIMARY KEY (id),
	CONSTRAINT fk_rights_request_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE INDEX ix_rights_request_customer_id ON rights_request (customer_id, id);

CREATE INDEX ix_rights_request_open ON rights_request (due_at) WHERE state = 'asked';

CREATE TABLE score_model_in_use (
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	set_by TEXT NOT NULL,
	set_at BIGINT NOT NULL,
	CONSTRAINT pk_score_model_in_use PRIMARY KEY (name),
	CONSTRAINT fk_score_model_in_use_name FOREIGN KEY(name, version) REFERENCES score_model (name, version)
);

CREATE TABLE session (
	token_hash TEXT NOT NULL,
	person_id TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	revoked_at BIGINT,
	CONSTRAINT pk_session PRIMARY KEY (token_hash),
	CONSTRAINT fk_session_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_session_person_id ON session (person_id);

CREATE TABLE sign_in_link (
	token_hash TEXT NOT NULL,
	person_id TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT,
	CONSTRAINT pk_sign_in_link PRIMARY KEY (token_hash),
	CONSTRAINT fk_sign_in_link_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_sign_in_link_person_id ON sign_in_link (person_id);

CREATE TABLE team_member (
	id TEXT NOT NULL,
	team_id TEXT NOT NULL,
	person_id TEXT NOT NULL,
	weight FLOAT NOT NULL,
	open_capacity INTEGER,
	daily_capacity INTEGER,
	skills TEXT NOT NULL,
	on_call BOOLEAN NOT NULL,
	from_at BIGINT NOT NULL,
	until_at BIGINT,
	CONSTRAINT pk_team_member PRIMARY KEY (id),
	CONSTRAINT fk_team_member_team_id FOREIGN KEY(team_id) REFERENCES team (id),
	CONSTRAINT fk_team_member_person_id FOREIGN KEY(person_id) REFERENCES person (id)
);

CREATE INDEX ix_team_member_person_id ON team_member (person_id);

CREATE INDEX ix_team_member_team_id ON team_member (team_id, person_id, from_at);

CREATE TABLE timeline (
	id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	at BIGINT NOT NULL,
	kind TEXT NOT NULL,
	words TEXT NOT NULL,
	subject TEXT NOT NULL,
	CONSTRAINT pk_timeline PRIMARY KEY (id),
	CONSTRAINT fk_timeline_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id)
);

CREATE INDEX ix_timeline_customer_id ON timeline (customer_id, at, id);

CREATE TABLE consent_delivery (
	id TEXT NOT NULL,
	consent_id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	downstream TEXT NOT NULL,
	state TEXT NOT NULL,
	why TEXT NOT NULL,
	attempt BIGINT NOT NULL,
	at BIGINT NOT NULL,
	due_at BIGINT,
	lease_token TEXT,
	CONSTRAINT pk_consent_delivery PRIMARY KEY (id),
	CONSTRAINT fk_consent_delivery_consent_id FOREIGN KEY(consent_id) REFERENCES consent (id),
	CONSTRAINT fk_consent_delivery_customer_id FOREIGN KEY(customer_id) REFERENCES customer (id),
	CONSTRAINT fk_consent_delivery_downstream FOREIGN KEY(downstream) REFERENCES consent_downstream (name)
);

CREATE INDEX ix_consent_delivery_consent_id ON consent_delivery (consent_id);

CREATE INDEX ix_consent_delivery_customer_id ON consent_delivery (customer_id, at);

CREATE INDEX ix_consent_delivery_downstream ON consent_delivery (downstream, state, at);

CREATE INDEX ix_consent_delivery_due_at ON consent_delivery (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE form_submission (
	id TEXT NOT NULL,
	form TEXT NOT NULL,
	token_digest TEXT NOT NULL,
	content_digest TEXT NOT NULL,
	text_digest TEXT NOT NULL,
	lead_id TEXT NOT NULL,
	customer_id TEXT NOT NULL,
	is_new BOOLEAN NOT NULL,
	signs TEXT NOT NULL,
	notice_digest TEXT,
	at BIGINT NOT NULL,
	CONSTRAINT pk_form_submission PRIMARY KEY (id),
	CONSTRAINT uq_form_submission_token_digest UNIQUE (token_digest),
	CONSTRAINT fk_form_submission_lead_id FOREIGN KEY(lead_id) REFERENCES lead (id)
);

CREATE INDEX ix_form_submission_form ON form_submission (form, at);

CREATE INDEX ix_form_submission_lead_id ON form_submission (lead_id);

CREATE INDEX ix_form_submission_text_digest ON form_submission (form, text_digest, at);

CREATE TABLE label (
	id TEXT NOT NULL,
	ruling_id TEXT NOT NULL,
	review_id TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	segment TEXT NOT NULL,
	producer TEXT NOT NULL,
	path TEXT NOT NULL,
	source TEXT NOT NULL,
	answer TEXT,
	agrees BOOLEAN,
	lottery_p DOUBLE PRECISION NOT NULL,
	agree_version TEXT,
	by TEXT NOT NULL,
	at BIGINT NOT NULL,
	CONSTRAINT pk_label PRIMARY KEY (id),
	CONSTRAINT uq_label_review_id UNIQUE (review_id),
	CONSTRAINT fk_label_ruling_id FOREIGN KEY(ruling_id) REFERENCES ruling (id),
	CONSTRAINT fk_label_review_id FOREIGN KEY(review_id) REFERENCES review (id)
);

CREATE INDEX ix_label_checkpoint ON label (checkpoint, id);

CREATE INDEX ix_label_ruling_id ON label (ruling_id);

CREATE INDEX ix_label_segment ON label (checkpoint, segment, producer);

CREATE TABLE repair (
	id TEXT NOT NULL,
	review_id TEXT NOT NULL,
	ruling_id TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	case_id TEXT,
	customer_id TEXT,
	role TEXT NOT NULL,
	opened_at BIGINT NOT NULL,
	done_at BIGINT,
	done_by TEXT,
	note TEXT NOT NULL,
	CONSTRAINT pk_repair PRIMARY KEY (id),
	CONSTRAINT uq_repair_review_id UNIQUE (review_id),
	CONSTRAINT fk_repair_review_id FOREIGN KEY(review_id) REFERENCES review (id),
	CONSTRAINT fk_repair_ruling_id FOREIGN KEY(ruling_id) REFERENCES ruling (id)
);

CREATE INDEX ix_repair_customer_id ON repair (customer_id);

CREATE INDEX ix_repair_role ON repair (role, done_at, id);

CREATE INDEX ix_repair_ruling_id ON repair (ruling_id);

CREATE TABLE verdict (
	id TEXT NOT NULL,
	review_id TEXT NOT NULL,
	verdict TEXT NOT NULL,
	actor TEXT NOT NULL,
	name TEXT NOT NULL,
	answer TEXT,
	reason TEXT NOT NULL,
	digest TEXT NOT NULL,
	at BIGINT NOT NULL,
	undone_at BIGINT,
	CONSTRAINT pk_verdict PRIMARY KEY (id),
	CONSTRAINT fk_verdict_review_id FOREIGN KEY(review_id) REFERENCES review (id)
);

CREATE INDEX ix_verdict_review_id ON verdict (review_id, id);

