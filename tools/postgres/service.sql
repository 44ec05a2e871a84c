-- The database of one service. Its owner makes the tables (`taskledger ledger migrate`); the service itself
-- runs as a role that may change rows only. To be run by psql as a superuser; safe to run again, and that
-- sets the passwords anew.
--
--   OWNER_PASSWORD=… SERVICE_PASSWORD=… psql --set=service=task_api --file service.sql
\getenv owner_password OWNER_PASSWORD
\getenv service_password SERVICE_PASSWORD
\set owner :service _owner

select format('create role %I login', role)
from unnest(array[:'service', :'owner']) role
where not exists (select from pg_roles where rolname = role)
\gexec
alter role :"owner" password :'owner_password';
alter role :"service" password :'service_password';

select format('create database %I owner %I', :'service', :'owner')
where not exists (select from pg_database where datname = :'service')
\gexec
revoke all on database :"service" from public;
grant connect on database :"service" to :"service";
