-- What an operator wants to know of a dead letter, and the order of its key found without a search.

alter table dead_letter add column attempts integer not null default 1; -- how often it failed; 0: it only waited
alter table dead_letter add column failed_at text;                      -- when it failed last, after the first time
update dead_letter set attempts = 0 where state = 'waiting';

-- The first of a key decides whether the next is held up.
drop index dead_letter_consumer_key;
create index dead_letter_queue on dead_letter (consumer, key, dead_letter_id);
create index dead_letter_parked on dead_letter (consumer, key, dead_letter_id) where state = 'parked';
create index dead_letter_released on dead_letter (consumer, dead_letter_id) where state = 'released';
