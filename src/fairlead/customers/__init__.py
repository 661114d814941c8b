"""Customers: who they are, what is known, flagged and allowed, and what happened to them."""

from fairlead.customers.addresses import CHANNELS_OF, normalise_address, shown_address
from fairlead.customers.asking import asked_by_link
from fairlead.customers.choosing import Choices, TurnedOn, choose
from fairlead.customers.consent_files import COLUMNS as CONSENT_COLUMNS, RefusedLine
from fairlead.customers.consent_intake import ConsentImport, check_consents, import_consents
from fairlead.customers.consenting import (
    CONFIRM_WITHIN,
    OPTED_IN,
    OPTED_OUT,
    ask_consent,
    confirm_consent,
    record_consent,
    withdraw_all,
)
from fairlead.customers.consents import ALL, Downstream, Notice, Standing, standing_for
from fairlead.customers.contact_store import lock_address
from fairlead.customers.editing import change_profile, drop_identity
from fairlead.customers.flagging import KnownFlag, flags_of
from fairlead.customers.happenings import HAPPENINGS, happened
from fairlead.customers.jobs import ConsentSource, Tell, Telling, Told
from fairlead.customers.leaving import has_stopped, leave
from fairlead.customers.ledger import ConsentRow, consent_history, consents_of, whole_history
from fairlead.customers.lineage import families_of
from fairlead.customers.listing import Listed, list_living, living_of
from fairlead.customers.living import lock_contact
from fairlead.customers.locating import learn_zone, zones_of
from fairlead.customers.merging import (
    MERGED,
    UNMERGED,
    Merge,
    Unmerged,
    family_of,
    merge,
    merges_of,
    merges_page,
    read_merge,
    survivor_of,
    unmerge,
)
from fairlead.customers.model import (
    ConsentRecord,
    ConsentState,
    CustomerDraft,
    CustomerFacts,
    Found,
    Identity,
    IdentityKind,
    KnownIdentity,
    Profile,
    ResolvedCustomer,
    TimelineEntry,
    TimelineNote,
)
from fairlead.customers.noticing import current_notice, notice_of, notice_text, notices, publish_notice
from fairlead.customers.owning import Owning, owning_of, set_owners
from fairlead.customers.preferring import Preference, preferences_of, set_preference
from fairlead.customers.privacy_signal import SHARING, asks_privacy, record_privacy_signal
from fairlead.customers.propagating import (
    ConsentDelivery,
    deliveries,
    delivery_counts,
    delivery_of,
    downstreams,
    retry_delivery,
    set_downstreams,
)
from fairlead.customers.reaching import Reach, reach_of
from fairlead.customers.reading import (
    facts_of,
    holder_of,
    names_of,
    profile,
    search,
    timeline_of,
)
from fairlead.customers.sensitive import SENSITIVE_FLAGS, visible_facts, visible_flags
from fairlead.customers.service import (
    add_identity,
    clear_flag,
    erase_customer,
    note,
    note_many,
    resolve_many,
    set_flag,
    set_owner,
    verify_identity,
)
from fairlead.customers.suppressing import Suppressed, lift_suppression, suppress, suppressions_of
from fairlead.customers.zones import Evidence, Zones

__all__ = [
    "ALL",
    "CHANNELS_OF",
    "CONFIRM_WITHIN",
    "CONSENT_COLUMNS",
    "HAPPENINGS",
    "MERGED",
    "OPTED_IN",
    "OPTED_OUT",
    "SENSITIVE_FLAGS",
    "SHARING",
    "UNMERGED",
    "Choices",
    "ConsentDelivery",
    "ConsentImport",
    "ConsentRecord",
    "ConsentRow",
    "ConsentSource",
    "ConsentState",
    "CustomerDraft",
    "CustomerFacts",
    "Downstream",
    "Evidence",
    "Found",
    "Identity",
    "IdentityKind",
    "KnownFlag",
    "KnownIdentity",
    "Listed",
    "Merge",
    "Notice",
    "Owning",
    "Preference",
    "Profile",
    "Reach",
    "RefusedLine",
    "ResolvedCustomer",
    "Standing",
    "Suppressed",
    "Tell",
    "Telling",
    "TimelineEntry",
    "TimelineNote",
    "Told",
    "TurnedOn",
    "Unmerged",
    "Zones",
    "add_identity",
    "ask_consent",
    "asked_by_link",
    "asks_privacy",
    "change_profile",
    "check_consents",
    "choose",
    "clear_flag",
    "confirm_consent",
    "consent_history",
    "consents_of",
    "current_notice",
    "deliveries",
    "delivery_counts",
    "delivery_of",
    "downstreams",
    "drop_identity",
    "erase_customer",
    "facts_of",
    "families_of",
    "family_of",
    "flags_of",
    "happened",
    "has_stopped",
    "holder_of",
    "import_consents",
    "learn_zone",
    "leave",
    "lift_suppression",
    "list_living",
    "living_of",
    "lock_address",
    "lock_contact",
    "merge",
    "merges_of",
    "merges_page",
    "names_of",
    "normalise_address",
    "note",
    "note_many",
    "notice_of",
    "notice_text",
    "notices",
    "owning_of",
    "preferences_of",
    "profile",
    "publish_notice",
    "reach_of",
    "read_merge",
    "record_consent",
    "record_privacy_signal",
    "resolve_many",
    "retry_delivery",
    "search",
    "set_downstreams",
    "set_flag",
    "set_owner",
    "set_owners",
    "set_preference",
    "shown_address",
    "standing_for",
    "suppress",
    "suppressions_of",
    "survivor_of",
    "timeline_of",
    "unmerge",
    "verify_identity",
    "visible_facts",
    "visible_flags",
    "whole_history",
    "withdraw_all",
    "zones_of",
]
