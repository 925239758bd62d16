-- The models that labelled posts.
select
    model,
    count(*) as posts,
    max(labelled_at) as labelled_at
from labels
group by model
order by count(*) desc, model asc
