-- The two roles of the tool, made once per server by a superuser; may be run again.
-- gustav_owner owns the tables and runs migrations; gustav_app is what web and worker connect as:
-- it owns nothing and may not bypass row policies. Give both a password where the server asks one.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gustav_owner') THEN
    CREATE ROLE gustav_owner LOGIN NOSUPERUSER NOBYPASSRLS;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gustav_app') THEN
    CREATE ROLE gustav_app LOGIN NOSUPERUSER NOBYPASSRLS;
  END IF;
END $$;
-- Two functions of the schema look across a border for a single number; they may say so.
GRANT SET ON PARAMETER "app.role" TO gustav_owner;
