-- Remove all labels of a deleted post.
delete from labels
where network = %(network)s and post_id = %(post_id)s;
