-- Cohorts are frozen in a lane of their own: what an earlier release has queued goes there.
update job set lane = 'freezing' where lane = 'cohort' and type = 'trustflow.trust.freeze_cohort.v1';
