# Offline: the provider is mocked, nothing is asked of AWS.

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

run "names_come_from_the_description" {
  command = plan

  assert {
    condition     = output.buckets == { for purpose, name in jsondecode(file("../src/postrank/aws/resources.json")).buckets : purpose => replace(replace(name, "{environment}", "dev"), "{account}", "123456789012") }
    error_message = "The buckets are not those of resources.json."
  }
  assert {
    condition     = output.streams.posts == "postrank-dev-posts"
    error_message = "The posts stream is not called as resources.json says."
  }
}

run "airflow_finds_every_connection_among_the_secrets_and_no_other_secret" {
  command = plan

  assert {
    condition = local.secrets_backend_kwargs == jsonencode({
      config_prefix              = null
      connections_lookup_pattern = "^(postrank_warehouse|postrank_webhook|postrank_x)$"
      connections_prefix         = "postrank-dev-connections"
      variables_prefix           = null
    })
    error_message = "The backend of secrets looks up other connections than those that Terraform makes."
  }
}

run "airflow_runs_on_ecs_when_asked_for_as_a_role_of_its_containers" {
  command = plan

  variables {
    airflow_ecs = { image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000" }
  }

  assert {
    condition     = length(module.airflow_ecs) == 1 && output.airflow_balancer == null
    error_message = "Airflow on ECS was not planned, or with a load balancer that was not asked for."
  }
}

run "the_digests_of_ci_come_before_those_of_the_tfvars" {
  command = plan

  variables {
    airflow_ecs = { image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000" }
    images      = { airflow = "sha256:1111111111111111111111111111111111111111111111111111111111111111", app = "sha256:1111111111111111111111111111111111111111111111111111111111111111" }
  }

  assert {
    condition     = output.images == { airflow = "sha256:1111111111111111111111111111111111111111111111111111111111111111", app = "sha256:1111111111111111111111111111111111111111111111111111111111111111" }
    error_message = "Other images are deployed than those that CI built."
  }
}

run "the_warehouse_is_made_when_asked_for" {
  command = plan

  variables {
    warehouse_class = "db.t4g.micro"
  }

  assert {
    condition     = length(module.warehouse) == 1
    error_message = "No warehouse was planned."
  }
}

run "the_warehouse_is_told_of_exports_by_their_names" {
  command = plan

  variables {
    warehouse_class = "db.t4g.micro"
  }

  assert {
    condition     = local.names.warehouse_queue == "postrank-dev-warehouse" && length(module.app) == 0
    error_message = "The queue has another name, or the app was planned unasked."
  }
}

run "the_app_runs_behind_an_internal_load_balancer_when_asked_for" {
  command = plan

  variables {
    warehouse_class = "db.t4g.micro"
    app             = { image_tag = "0.1.0", host = "postrank.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/c" }
  }

  assert {
    condition     = length(module.app) == 1
    error_message = "No app was planned."
  }
}

run "policies_are_filled_in_and_name_what_they_allow" {
  command = plan

  assert {
    condition     = alltrue([for policy in values(local.policies) : !strcontains(policy, "$${")])
    error_message = "A policy still has a placeholder."
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(local.policies["streamer"]).Statement :
      !contains(statement.Resource, "*") || can(statement.Condition)
    ])
    error_message = "The streamer may act on any resource without a condition."
  }
}

run "one_source_has_the_names_without_a_suffix" {
  command = plan

  assert {
    condition     = output.collector_groups == { main = "postrank-dev-streamer" } && output.streamer_group == "postrank-dev-streamer"
    error_message = "An environment with one source has other hosts than main's."
  }
}

run "each_collector_has_a_host_alarms_and_names_of_its_own" {
  command = plan

  variables {
    collectors = {
      x-brands = { source = "x", config = "[collectors.x-brands.source]\nkind = \"x\"\n", state_gib = 20 }
    }
  }

  assert {
    condition     = output.collector_groups == { main = "postrank-dev-streamer", x-brands = "postrank-dev-streamer-x-brands" }
    error_message = "The collectors' groups are not called as resources.json says."
  }
  assert {
    condition     = contains(output.alarms, "postrank-dev-streamer-silent") && contains(output.alarms, "postrank-dev-streamer-silent-x-brands") && contains(output.alarms, "postrank-dev-x-spend-x-brands")
    error_message = "A collector has no alarms of its own."
  }
  assert {
    condition     = local.collectors["x-brands"].service == "postrank-streamer-x-brands" && local.collectors["x-brands"].state_gib == 20 && local.collectors["x-brands"].instance_type == "t4g.small"
    error_message = "A collector has another service or size than it was given."
  }
}

run "an_environment_without_main_has_none_of_its_resources" {
  command = plan

  variables {
    streamer_config = null
    collectors      = { bluesky = { source = "bluesky", config = "[collectors.bluesky.source]\nkind = \"bluesky\"\n" } }
  }

  assert {
    condition     = output.streamer_group == null && !contains(output.alarms, "postrank-dev-streamer-silent")
    error_message = "Main has a group or alarms although there is no main."
  }
}

run "an_environment_in_capitals_is_refused" {
  command         = plan
  expect_failures = [var.environment]

  variables {
    environment = "Prod"
  }
}

run "one_zone_is_refused" {
  command         = plan
  expect_failures = [var.zones]

  variables {
    zones = ["a"]
  }
}

run "an_instance_that_is_no_arm_is_refused" {
  command         = plan
  expect_failures = [var.instance_type]

  variables {
    instance_type = "t3.small"
  }
}

run "half_a_shard_is_refused" {
  command         = plan
  expect_failures = [var.shards]

  variables {
    shards = 0.5
  }
}

run "raw_posts_are_kept_longer_than_rankings_look_back" {
  command         = plan
  expect_failures = [var.raw_days]

  variables {
    raw_days = 1
  }
}

run "a_release_that_is_no_version_is_refused" {
  command         = plan
  expect_failures = [var.release]

  variables {
    release = "latest"
  }
}
