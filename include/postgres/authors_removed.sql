-- Remove authors who are in no ranking any more.
delete from authors as a
using staged_removals as s
where
    a.network = s.network
    and a.author_id = s.author_id
    and not exists (
        select 1
        from rankings as r
        where r.network = a.network and r.author_id = a.author_id
    );
