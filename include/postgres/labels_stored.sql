-- Store a label in place of an earlier one.
insert into labels (
    network, post_id, model, model_version, label, score, language, posted_at, author_id, hashtags
)
values (
    %(network)s,
    %(post_id)s,
    %(model)s,
    %(model_version)s,
    %(label)s,
    %(score)s,
    %(language)s,
    %(posted_at)s,
    %(author_id)s,
    %(hashtags)s
)
on conflict (network, post_id, model) do update set
    model_version = excluded.model_version,
    label = excluded.label,
    score = excluded.score,
    language = excluded.language,
    posted_at = excluded.posted_at,
    author_id = excluded.author_id,
    hashtags = excluded.hashtags,
    labelled_at = now();
