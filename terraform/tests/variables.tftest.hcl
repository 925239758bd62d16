# What each variable of the root refuses. Offline: the provider is mocked.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-0123456789abcdef0" }
  }
}

variables {
  environment     = "dev"
  release         = "0.1.0"
  streamer_config = "environments/streamer.toml"
}

run "a_region_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.region]

  variables {
    region = "us-east"
  }
}

run "a_network_that_is_no_16_is_refused" {
  command         = plan
  expect_failures = [var.cidr]

  variables {
    cidr = "10.40.0.0/24"
  }
}

run "an_image_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.image_id]

  variables {
    image_id = "ubuntu"
  }
}

run "a_configuration_that_is_not_there_is_refused" {
  command         = plan
  expect_failures = [var.streamer_config]

  variables {
    streamer_config = "environments/nowhere.toml"
  }
}

run "an_environment_without_any_collector_is_refused" {
  command         = plan
  expect_failures = [var.collectors]

  variables {
    streamer_config = null
  }
}

run "a_collector_in_capitals_is_refused" {
  command         = plan
  expect_failures = [var.collectors]

  variables {
    collectors = { X = { source = "x", config = "" } }
  }
}

run "main_that_is_configured_twice_is_refused" {
  command         = plan
  expect_failures = [var.collectors]

  variables {
    collectors = { main = { source = "x", config = "" } }
  }
}

run "a_retention_below_a_day_is_refused" {
  command         = plan
  expect_failures = [var.retention_hours]

  variables {
    retention_hours = 12
  }
}

run "a_volume_too_small_for_the_spool_is_refused" {
  command         = plan
  expect_failures = [var.state_gib]

  variables {
    state_gib = 1
  }
}

run "a_warehouse_class_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.warehouse_class]

  variables {
    warehouse_class = "small"
  }
}

run "an_app_without_a_warehouse_is_refused" {
  command         = plan
  expect_failures = [var.app]

  variables {
    app = { image_tag = "1", host = "h.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/c" }
  }
}

run "an_app_without_an_image_is_refused" {
  command         = plan
  expect_failures = [var.app]

  variables {
    warehouse_class = "db.t4g.micro"
    app             = { host = "h.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/c" }
  }
}

run "an_image_by_tag_among_the_digests_is_refused" {
  command         = plan
  expect_failures = [var.images]

  variables {
    images = { airflow = "latest" }
  }
}

run "an_app_without_a_certificate_is_refused" {
  command         = plan
  expect_failures = [var.app]

  variables {
    warehouse_class = "db.t4g.micro"
    app             = { image_tag = "1", host = "h.example.com", certificate_arn = "" }
  }
}

run "an_app_for_everybody_is_refused" {
  command         = plan
  expect_failures = [var.app]

  variables {
    warehouse_class = "db.t4g.micro"
    app             = { image_tag = "1", host = "h.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/c", cidrs = ["0.0.0.0/0"] }
  }
}

run "an_address_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.alarm_emails]

  variables {
    alarm_emails = ["the data team"]
  }
}

run "a_scan_budget_of_nothing_is_refused" {
  command         = plan
  expect_failures = [var.daily_scan_gib]

  variables {
    daily_scan_gib = 0
  }
}

run "a_budget_of_nothing_is_refused" {
  command         = plan
  expect_failures = [var.monthly_usd]

  variables {
    monthly_usd = 0
  }
}

run "an_endpoint_with_its_whole_name_is_refused" {
  command         = plan
  expect_failures = [var.interface_endpoints]

  variables {
    interface_endpoints = ["com.amazonaws.us-east-1.Kinesis"]
  }
}

run "a_version_of_airflow_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.mwaa]

  variables {
    mwaa = { version = "3" }
  }
}

run "a_class_of_mwaa_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.mwaa]

  variables {
    mwaa = { version = "3.0.6", class = "t3.small" }
  }
}

run "no_worker_of_mwaa_is_refused" {
  command         = plan
  expect_failures = [var.mwaa]

  variables {
    mwaa = { version = "3.0.6", max_workers = 0 }
  }
}

run "a_level_of_logs_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.mwaa]

  variables {
    mwaa = { version = "3.0.6", log_level = "LOUD" }
  }
}

run "a_boundary_that_is_no_policy_is_refused" {
  command         = plan
  expect_failures = [var.permissions_boundary]

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:role/boundary"
  }
}

run "airflow_on_mwaa_and_on_ecs_is_refused" {
  command         = plan
  expect_failures = [var.airflow_ecs]

  variables {
    airflow_ecs = { image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000" }
    mwaa        = { version = "3.2.1" }
  }
}

run "an_image_of_airflow_by_tag_is_refused" {
  command         = plan
  expect_failures = [var.airflow_ecs]

  variables {
    airflow_ecs = { image_digest = "latest" }
  }
}

run "no_task_at_a_time_is_refused" {
  command         = plan
  expect_failures = [var.airflow_ecs]

  variables {
    airflow_ecs = { image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000", parallelism = 0 }
  }
}

run "a_scheduler_too_small_for_its_tasks_is_refused" {
  command         = plan
  expect_failures = [var.airflow_ecs]

  variables {
    airflow_ecs = { image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000", scheduler = { cpu = 512, memory = 2048 } }
  }
}

run "a_sign_in_without_a_certificate_is_refused" {
  command         = plan
  expect_failures = [var.airflow_ecs]

  variables {
    airflow_ecs = { image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000", sign_in = { host = "a.example.com", certificate_arn = "", issuer = "https://id.example.com", authorization_endpoint = "https://id.example.com/a", token_endpoint = "https://id.example.com/t", user_info_endpoint = "https://id.example.com/u", client_id = "airflow" } }
  }
}

run "a_sign_in_over_plain_http_is_refused" {
  command         = plan
  expect_failures = [var.airflow_ecs]

  variables {
    airflow_ecs = { image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000", sign_in = { host = "a.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/c", issuer = "http://id.example.com", authorization_endpoint = "https://id.example.com/a", token_endpoint = "https://id.example.com/t", user_info_endpoint = "https://id.example.com/u", client_id = "airflow" } }
  }
}

run "an_airflow_for_everybody_is_refused" {
  command         = plan
  expect_failures = [var.airflow_ecs]

  variables {
    airflow_ecs = { image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000", sign_in = { host = "a.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/c", issuer = "https://id.example.com", authorization_endpoint = "https://id.example.com/a", token_endpoint = "https://id.example.com/t", user_info_endpoint = "https://id.example.com/u", client_id = "airflow", cidrs = ["0.0.0.0/0"] } }
  }
}
