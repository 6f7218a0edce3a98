-- 1,000 credit applications (Statlog German Credit; origin and licence in demo/DATA.md).
-- Run by psql from the repository's root: \copy reads demo/german_credit.csv there.

SET client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS demo;

CREATE TABLE IF NOT EXISTS demo.applications (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    status_of_existing_checking_account text,
    duration_in_month integer,
    credit_history text,
    purpose text,
    credit_amount integer,
    savings_account_and_bonds text,
    present_employment_since text,
    installment_rate_in_percentage_of_disposable_income integer,
    personal_status_and_sex text,
    other_debtors_or_guarantors text,
    present_residence_since integer,
    property text,
    age_in_years integer,
    other_installment_plans text,
    housing text,
    number_of_existing_credits_at_this_bank integer,
    job text,
    number_of_people_being_liable_to_provide_maintenance_for integer,
    telephone text,
    foreign_worker text,
    creditability text CHECK (creditability IN ('good', 'bad'))
);
COMMENT ON TABLE demo.applications IS 'Statlog German Credit (Hofmann, UCI, CC BY 4.0): 1,000 applications of the 1970s and how each credit ended';
COMMENT ON COLUMN demo.applications.credit_amount IS 'Deutsche Mark';
COMMENT ON COLUMN demo.applications.creditability IS 'good: paid back, bad: not; NULL while it is not known';

TRUNCATE demo.applications RESTART IDENTITY;
\copy demo.applications (status_of_existing_checking_account, duration_in_month, credit_history, purpose, credit_amount, savings_account_and_bonds, present_employment_since, installment_rate_in_percentage_of_disposable_income, personal_status_and_sex, other_debtors_or_guarantors, present_residence_since, property, age_in_years, other_installment_plans, housing, number_of_existing_credits_at_this_bank, job, number_of_people_being_liable_to_provide_maintenance_for, telephone, foreign_worker, creditability) FROM 'demo/german_credit.csv' WITH (FORMAT csv, HEADER)
ANALYZE demo.applications;

RESET client_min_messages;
