-- What a version of a model has labelled.
select
    arrival_interval,
    content,
    last_network,
    last_post_id,
    is_complete
from labelled_arrivals
where model = %(model)s and model_version = %(model_version)s;
