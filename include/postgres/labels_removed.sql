-- Remove a model's label of a post.
delete from labels
where network = %(network)s and post_id = %(post_id)s and model = %(model)s;
