-- Note how far an arrival hour is labelled.
insert into labelled_arrivals (
    model, arrival_interval, model_version, content, last_network, last_post_id, is_complete
)
values (
    %(model)s,
    %(arrival_interval)s,
    %(model_version)s,
    %(content)s,
    %(last_network)s,
    %(last_post_id)s,
    %(is_complete)s
)
on conflict (model, arrival_interval) do update set
    model_version = excluded.model_version,
    content = excluded.content,
    last_network = excluded.last_network,
    last_post_id = excluded.last_post_id,
    is_complete = excluded.is_complete,
    labelled_at = now();
