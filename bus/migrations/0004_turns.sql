-- Whose turn a job takes, in a lane that is shared out in turns; other lanes leave it empty.
alter table job add column turn_of text;
