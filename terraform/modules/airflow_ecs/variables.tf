variable "names" {
  description = "Names from resources.json with environment and account filled in."
  type        = object({ roles = object({ airflow = string }) })
}

variable "airflow" {
  description = "Tasks at a time, sizes, and how people sign in; null where they use Session Manager."
  type = object({
    parallelism      = number
    scheduler        = object({ cpu = number, memory = number })
    database_class   = string
    database_version = string
    sign_in = object({
      host                   = string
      certificate_arn        = string
      cidrs                  = list(string)
      issuer                 = string
      authorization_endpoint = string
      token_endpoint         = string
      user_info_endpoint     = string
      client_id              = string
    })
  })
}

variable "image" {
  description = "Airflow's image, by digest."
  type        = string
}

variable "role_arn" {
  description = "ARN of the role that Airflow's tasks run under."
  type        = string
}

variable "policy" {
  description = "Additional policy of Airflow's role on ECS, as JSON."
  type        = string
}

variable "execution_policy" {
  description = "Policy with which ECS starts the containers, as JSON."
  type        = string
}

variable "trust" {
  description = "Who may assume the execution role, as JSON."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the role; null for none."
  type        = string
}

variable "secrets_backend_kwargs" {
  description = "How Airflow finds its connections in Secrets Manager, as JSON."
  type        = string
}

variable "environment" {
  description = "Environment, for POSTRANK_ENVIRONMENT."
  type        = string
}

variable "account" {
  description = "AWS account, for POSTRANK_ACCOUNT."
  type        = string
}

variable "region" {
  description = "AWS region of logs and services."
  type        = string
}

variable "warehouse_queue" {
  description = "URL of the queue in which S3 tells of exports; empty without a warehouse."
  type        = string
}

variable "vpc_id" {
  description = "ID of the VPC."
  type        = string
}

variable "cidr" {
  description = "CIDR block of the network."
  type        = string
}

variable "private_subnets" {
  description = "IDs of private subnets in at least two zones, for the database and the load balancer."
  type        = list(string)

  validation {
    condition     = length(var.private_subnets) >= 2
    error_message = "RDS and a load balancer require subnets in at least two availability zones."
  }
}

variable "task_subnets" {
  description = "IDs of subnets with a way to AWS, for the services."
  type        = list(string)
}

variable "require_tls" {
  description = "Whether connections to the database must use TLS. Set to false only for an endpoint on loopback."
  type        = bool
}

variable "protected" {
  description = "Whether the database spans two zones, and it, the keys and the load balancer are protected from terraform destroy."
  type        = bool
}
