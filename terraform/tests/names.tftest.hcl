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
