-- Everything transactional in one file. Amounts are int64 in the unit that the column's
-- name ends with; times are microseconds UTC; hashes and ids are BLOBs.

CREATE TABLE store_time (last_recorded_us INTEGER NOT NULL) STRICT;
INSERT INTO store_time VALUES (0);

CREATE TABLE workspace (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- Ledger ------------------------------------------------------------------------------
-- unit: 1 CR (ucr), 2 USD (nusd), 3 QUOTA (nusd of a provider's quota).
-- flags: 1 debits must not exceed credits, 2 credits must not exceed debits.
CREATE TABLE accounts (
    account_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    unit INTEGER NOT NULL CHECK (unit IN (1, 2, 3)),
    flags INTEGER NOT NULL CHECK (flags BETWEEN 0 AND 3),
    debits_pending INTEGER NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
    debits_posted INTEGER NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),
    credits_pending INTEGER NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
    credits_posted INTEGER NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),
    CHECK (flags & 1 = 0 OR debits_pending + debits_posted <= credits_posted),
    CHECK (flags & 2 = 0 OR credits_pending + credits_posted <= debits_posted)
) STRICT;

CREATE TABLE journal_batches (
    batch INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    transfers INTEGER NOT NULL CHECK (transfers > 0),
    recorded_us INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- flags: 1 linked, 2 pending, 4 post, 8 void, 16 balancing debit, 32 balancing credit.
-- pending_seq names the hold that a post or void resolves. reference is the charge, hold,
-- top-up or contribution that the transfer belongs to (its meaning is given by code).
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    debit_account INTEGER NOT NULL,
    credit_account INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    flags INTEGER NOT NULL,
    code INTEGER NOT NULL,
    reference INTEGER NOT NULL,
    pending_seq INTEGER NOT NULL DEFAULT 0,
    expires_us INTEGER NOT NULL DEFAULT 0,
    effective_us INTEGER NOT NULL,
    CHECK (debit_account <> credit_account)
) STRICT;
CREATE INDEX journal_by_reference ON journal (code, reference);
CREATE TRIGGER journal_is_append_only_u BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_append_only_d BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_batches_are_append_only_u BEFORE UPDATE ON journal_batches
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_batches_are_append_only_d BEFORE DELETE ON journal_batches
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- Holds that are still open. A post or void closes the row; the journal keeps the story.
CREATE TABLE pending_transfers (
    seq INTEGER PRIMARY KEY REFERENCES journal (seq),
    id BLOB NOT NULL UNIQUE,
    state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),  -- 1 open, 2 posted, 3 voided
    posted_amount INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Identity ----------------------------------------------------------------------------
CREATE TABLE customers (
    customer_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE staff (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('business', 'analyst', 'admin')),
    created_us INTEGER NOT NULL
) STRICT;

-- Catalogue ---------------------------------------------------------------------------
CREATE TABLE models (
    model_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    provider TEXT NOT NULL
) STRICT;

CREATE TABLE aliases (
    alias TEXT NOT NULL,
    from_us INTEGER NOT NULL,
    model TEXT NOT NULL,
    PRIMARY KEY (alias, from_us)
) STRICT, WITHOUT ROWID;

-- A version is one whole cost book (canonical JSON) as it was known from recorded_us on.
CREATE TABLE cost_books (
    cost_version INTEGER PRIMARY KEY,
    recorded_us INTEGER NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
) STRICT;

-- Price sheets and their way to production --------------------------------------------
-- A draft is a row per revision; base_version is the published sheet that it started from.
-- A published version never changes.
CREATE TABLE drafts (
    sheet_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    author TEXT NOT NULL,
    written_us INTEGER NOT NULL,
    base_version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (sheet_id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE review_events (
    event_id INTEGER PRIMARY KEY,
    sheet_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    comment TEXT NOT NULL,
    recorded_us INTEGER NOT NULL
) STRICT;

CREATE TABLE sheets (
    version INTEGER PRIMARY KEY,
    sheet_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    effective_us INTEGER NOT NULL UNIQUE,
    recorded_us INTEGER NOT NULL,
    author TEXT NOT NULL,
    publisher TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TRIGGER sheets_are_append_only_u BEFORE UPDATE ON sheets
BEGIN SELECT RAISE(ABORT, 'a published sheet never changes'); END;
CREATE TRIGGER sheets_are_append_only_d BEFORE DELETE ON sheets
BEGIN SELECT RAISE(ABORT, 'a published sheet never changes'); END;

-- Wallets -----------------------------------------------------------------------------
-- A lot is an account; customer, origin, basis and expiry never change. The basis is the
-- reduced fraction basis_num / basis_den in nusd per ucr.
CREATE TABLE lots (
    account_id INTEGER PRIMARY KEY REFERENCES accounts (account_id),
    customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
    origin TEXT NOT NULL CHECK (origin IN ('purchased', 'earned', 'referral', 'promotion')),
    basis_num INTEGER NOT NULL CHECK (basis_num >= 0),
    basis_den INTEGER NOT NULL CHECK (basis_den > 0),
    expires_us INTEGER NOT NULL,
    opened_us INTEGER NOT NULL,
    spent_ucr INTEGER NOT NULL DEFAULT 0 CHECK (spent_ucr >= 0),
    spent_rounding_ucr INTEGER NOT NULL DEFAULT 0 CHECK (spent_rounding_ucr BETWEEN 0 AND spent_ucr),
    UNIQUE (customer_id, origin, basis_num, basis_den, expires_us)
) STRICT;

CREATE TABLE top_ups (
    top_up_id INTEGER PRIMARY KEY,
    request_key TEXT NOT NULL UNIQUE,
    customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
    pack TEXT NOT NULL,
    paid_nusd INTEGER NOT NULL CHECK (paid_nusd > 0),
    credits_ucr INTEGER NOT NULL CHECK (credits_ucr > 0),
    lot_account INTEGER NOT NULL REFERENCES lots (account_id),
    effective_us INTEGER NOT NULL,
    recorded_us INTEGER NOT NULL
) STRICT;

-- Pool --------------------------------------------------------------------------------
-- rate_num / rate_den is the valuation rate in ucr per nusd of quota, fixed at contribution.
CREATE TABLE pool_keys (
    key_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    request_key TEXT NOT NULL UNIQUE,
    owner_id INTEGER NOT NULL REFERENCES customers (customer_id),
    provider TEXT NOT NULL,
    valued_on TEXT NOT NULL,
    scheme TEXT NOT NULL CHECK (scheme IN ('upfront', 'on_use')),
    quota_nusd INTEGER NOT NULL CHECK (quota_nusd > 0),
    capacity_ucr INTEGER NOT NULL CHECK (capacity_ucr > 0),
    fee_ucr INTEGER NOT NULL CHECK (fee_ucr >= 0),
    share_ucr INTEGER NOT NULL CHECK (share_ucr >= 0),
    capacity_nusd INTEGER NOT NULL CHECK (capacity_nusd >= 0),
    rate_num INTEGER NOT NULL CHECK (rate_num > 0),
    rate_den INTEGER NOT NULL CHECK (rate_den > 0),
    served_quota_nusd INTEGER NOT NULL DEFAULT 0 CHECK (served_quota_nusd BETWEEN 0 AND quota_nusd),
    relieved_ucr INTEGER NOT NULL DEFAULT 0 CHECK (relieved_ucr BETWEEN 0 AND capacity_ucr),
    relieved_nusd INTEGER NOT NULL DEFAULT 0 CHECK (relieved_nusd BETWEEN 0 AND capacity_nusd),
    contributed_us INTEGER NOT NULL
) STRICT;

-- Metering ----------------------------------------------------------------------------
CREATE TABLE sources (source_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- One row per (source, event id), found by a 128-bit hash; content tells a repeat from a clash.
CREATE TABLE event_keys (
    event_key BLOB PRIMARY KEY CHECK (length(event_key) = 16),
    content BLOB NOT NULL CHECK (length(content) = 16),
    charge_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- status: 1 charged, 2 refused for balance, 3 not charged because the request failed.
CREATE TABLE charges (
    charge_id INTEGER PRIMARY KEY,
    charge_batch INTEGER NOT NULL,
    event_key BLOB NOT NULL,
    source_id INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    model_id INTEGER NOT NULL,
    effective_us INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_input_tokens INTEGER NOT NULL,
    cache_write_5m_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    audio_ms INTEGER NOT NULL,
    images INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    status INTEGER NOT NULL CHECK (status IN (1, 2, 3)),
    unrounded_ucr INTEGER NOT NULL CHECK (unrounded_ucr >= 0),
    rated_ucr INTEGER NOT NULL CHECK (rated_ucr >= 0),
    charge_ucr INTEGER NOT NULL CHECK (charge_ucr BETWEEN 0 AND rated_ucr),
    rounding_ucr INTEGER NOT NULL,
    basis_usage_nusd INTEGER NOT NULL,
    basis_rounding_nusd INTEGER NOT NULL,
    list_cost_nusd INTEGER NOT NULL CHECK (list_cost_nusd >= 0),
    paid_cost_nusd INTEGER NOT NULL CHECK (paid_cost_nusd >= 0),
    key_id INTEGER NOT NULL,
    hold_id INTEGER NOT NULL,
    sheet_version INTEGER NOT NULL,
    cost_version INTEGER NOT NULL
) STRICT;
CREATE INDEX charges_by_customer ON charges (customer_id, effective_us);
CREATE UNIQUE INDEX charges_of_holds ON charges (hold_id) WHERE hold_id > 0;
CREATE TRIGGER charges_are_append_only_u BEFORE UPDATE ON charges
BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;
CREATE TRIGGER charges_are_append_only_d BEFORE DELETE ON charges
BEGIN SELECT RAISE(ABORT, 'charges are append-only'); END;

CREATE TABLE charge_batches (
    charge_batch INTEGER PRIMARY KEY,
    charges INTEGER NOT NULL,
    charges_sha256 BLOB NOT NULL CHECK (length(charges_sha256) = 32),
    recorded_us INTEGER NOT NULL
) STRICT;

-- Usage without a price waits here, whole; imported again it is tried again.
CREATE TABLE unpriced_events (
    event_key BLOB PRIMARY KEY CHECK (length(event_key) = 16),
    content BLOB NOT NULL CHECK (length(content) = 16),
    source_id INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    customer TEXT NOT NULL,
    model TEXT NOT NULL,
    reason TEXT NOT NULL,
    effective_us INTEGER NOT NULL,
    quantities TEXT NOT NULL,
    failed INTEGER NOT NULL CHECK (failed IN (0, 1)),
    recorded_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- state: 1 open, 2 settled, 3 released.
CREATE TABLE holds (
    hold_id INTEGER PRIMARY KEY,
    event_key BLOB NOT NULL UNIQUE,
    content BLOB NOT NULL,
    source_id INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    customer_id INTEGER NOT NULL,
    model_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    amount_ucr INTEGER NOT NULL CHECK (amount_ucr >= 0),
    authorised_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    sheet_version INTEGER NOT NULL,
    cost_version INTEGER NOT NULL,
    state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),
    legs TEXT NOT NULL
) STRICT;
CREATE INDEX holds_open ON holds (expires_us) WHERE state = 1;
