-- The warehouse as analysts see it. Amounts are integers in the unit that the name ends
-- with; days are UTC. `journal_parts` and `charges_parts` are the Parquet parts as they are.

-- What each charge hides in a sum: quantities, price and cost versions, key, both revenues
-- and both costs. `effective_at` is when it happened, `recorded_us` when we learned it.
CREATE VIEW charges AS
SELECT
    p.*,
    make_timestamp(p.effective_us) AS effective_at,
    c.customer,
    m.model,
    m.provider,
    s.source,
    k.key
FROM charges_parts p
LEFT JOIN customers c USING (customer_id)
LEFT JOIN models m USING (model_id)
LEFT JOIN sources s USING (source_id)
LEFT JOIN pool_keys k USING (key_id);

-- Transfers, with the names of their accounts. A pending transfer (flag 2) holds, a post
-- (4) or void (8) resolves the hold in `pending_seq`.
CREATE VIEW journal AS
SELECT
    p.*,
    make_timestamp(p.effective_us) AS effective_at,
    d.account AS debit,
    c.account AS credit,
    d.unit
FROM journal_parts p
LEFT JOIN accounts d ON d.account_id = p.debit_account
LEFT JOIN accounts c ON c.account_id = p.credit_account;

-- The customer's layer: Credits only, a row for each day, customer and model. Refused requests
-- cost nothing; `refused_ucr` is what they would have cost. The macro takes a period
-- [from_us, to_us), the view has all of time.
CREATE MACRO layer_credits_between(from_us, to_us) AS TABLE
SELECT
    day,
    customer,
    model,
    count(*) FILTER (status = 1) AS requests,
    count(*) FILTER (status = 2) AS refused_requests,
    count(*) FILTER (status = 3) AS failed_requests,
    coalesce(sum(unrounded_ucr) FILTER (status = 1), 0)::BIGINT AS unrounded_ucr,
    sum(charge_ucr)::BIGINT AS charge_ucr,
    coalesce(sum(rated_ucr) FILTER (status = 2), 0)::BIGINT AS refused_ucr
FROM charges
WHERE effective_us >= from_us AND effective_us < to_us
GROUP BY ALL;

CREATE VIEW layer_credits AS
FROM layer_credits_between(-9223372036854775808, 9223372036854775807);

-- Revenue at reference value: each charge at the USD value that its own price sheet gives a
-- Credit. The products go through 128-bit sums (nusd per 1,000,000 Credits) and are divided
-- once, by whoever reports them. A charge whose sheet is unknown is an error, never $0.
CREATE VIEW charges_valued AS
SELECT
    c.*,
    CASE
        WHEN c.status <> 1 THEN 0::HUGEINT
        WHEN s.credit_value_nusd IS NULL
            THEN error('charge ' || c.charge_id || ' pins a price sheet that is not here')
        ELSE c.charge_ucr::HUGEINT * s.credit_value_nusd
    END AS reference_numerator,
    CASE WHEN c.status <> 1 THEN 0::HUGEINT
        ELSE c.rounding_ucr::HUGEINT * s.credit_value_nusd
    END AS rounding_reference_numerator
FROM charges c
LEFT JOIN sheets s ON s.version = c.sheet_version;

-- The operator's layer: USD beneath, nominal (reference value) and basis-weighted revenue,
-- list cost and paid-out cost, a row for each day, provider and model. Rounding is part of
-- each revenue and stands apart as well.
CREATE MACRO layer_usd_between(from_us, to_us) AS TABLE
SELECT
    day,
    provider,
    model,
    count(*) FILTER (status = 1) AS requests,
    count(*) FILTER (status = 2) AS refused_requests,
    count(*) FILTER (status = 3) AS failed_requests,
    sum(charge_ucr)::BIGINT AS charge_ucr,
    coalesce(sum(rounding_ucr) FILTER (status = 1), 0)::BIGINT AS rounding_ucr,
    coalesce(sum(rated_ucr) FILTER (status = 2), 0)::BIGINT AS refused_ucr,
    (sum(reference_numerator) // 1000000)::BIGINT AS revenue_reference_nusd,
    (sum(rounding_reference_numerator) // 1000000)::BIGINT AS rounding_reference_nusd,
    (sum(basis_usage_nusd) + sum(basis_rounding_nusd))::BIGINT AS revenue_basis_nusd,
    sum(basis_rounding_nusd)::BIGINT AS rounding_basis_nusd,
    sum(list_cost_nusd)::BIGINT AS list_cost_nusd,
    sum(paid_cost_nusd)::BIGINT AS paid_cost_nusd
FROM charges_valued
WHERE effective_us >= from_us AND effective_us < to_us
GROUP BY ALL;

CREATE VIEW layer_usd AS
FROM layer_usd_between(-9223372036854775808, 9223372036854775807);

-- What is left of each contributed key.
CREATE VIEW pool_depth AS
SELECT
    k.key,
    k.provider,
    c.customer AS owner,
    k.valued_on,
    k.scheme,
    k.quota_nusd,
    k.served_quota_nusd,
    k.quota_nusd - k.served_quota_nusd AS left_quota_nusd,
    k.capacity_ucr,
    k.relieved_ucr,
    k.capacity_ucr - k.relieved_ucr AS left_capacity_ucr,
    k.capacity_nusd - k.relieved_nusd AS left_capacity_nusd
FROM pool_keys k
JOIN customers c ON c.customer_id = k.owner_id;
