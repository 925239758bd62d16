-- judged_versions: one row per row of post_versions; is_gone where it holds words of a post that was deleted, or a like
-- that was withdrawn, or an observation of a deleted post.
-- A tombstone takes out its post; that of an author, all that the author had posted up to deleted_at.
create or replace view judged_versions as
select
    *,
    kind in ('post', 'edit', 'like', 'metrics')
    and (
        exists (
            select 1
            from tombstones
            where
                tombstones.network = post_versions.network
                and tombstones.post_id = post_versions.post_id
                and (
                    not tombstones.is_author
                    or post_versions.posted_at <= coalesce(tombstones.deleted_at, post_versions.posted_at)
                )
        )
        or exists (
            select 1
            from tombstones
            where
                tombstones.is_author
                and tombstones.network = post_versions.network
                and tombstones.author_id = post_versions.author_id
                and post_versions.posted_at <= coalesce(tombstones.deleted_at, post_versions.posted_at)
        )
    ) as is_gone
from post_versions
