-- Remove all labels of what an author had posted up to a moment.
delete from labels
where
    network = %(network)s
    and author_id = %(author_id)s
    and posted_at <= %(deleted_at)s::timestamptz;
