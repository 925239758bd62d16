-- post_chains: one row per network and id of a later version of an edited post: the id that the post is known by.
create or replace view post_chains as
select
    post_versions.network,
    t.version_id,
    min(post_versions.post_id) as post_id
from post_versions
cross join unnest(post_versions.versions) as t (version_id)
where t.version_id <> post_versions.post_id
group by post_versions.network, t.version_id
