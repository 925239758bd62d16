variable "names" {
  description = "The names of resources.json, filled in."
  type = object({
    roles = object({ app = string, live = string })
  })
}

variable "app" {
  description = "Host name, certificate, networks of readers, size of the task, and whether postrank live runs too."
  type = object({
    host            = string
    certificate_arn = string
    cidrs           = list(string)
    cpu             = number
    memory          = number
    live            = bool
  })
}

variable "image" {
  description = "The app's image, by tag or digest."
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
  description = "AWS region of logs and streams."
  type        = string
}

variable "warehouse" {
  description = "Host name of the warehouse."
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

variable "balancer_subnets" {
  description = "IDs of private subnets in at least two zones, for the load balancer."
  type        = list(string)

  validation {
    condition     = length(var.balancer_subnets) >= 2
    error_message = "A load balancer requires subnets in at least two availability zones."
  }
}

variable "task_subnets" {
  description = "IDs of subnets with a way to AWS, for the tasks."
  type        = list(string)
}

variable "policy" {
  description = "Policy of the app's role, as JSON."
  type        = string
}

variable "live_policy" {
  description = "Policy of the role of postrank live, as JSON."
  type        = string
}

variable "execution_policy" {
  description = "Policy with which ECS starts the tasks, as JSON."
  type        = string
}

variable "trust" {
  description = "Who may assume the roles, as JSON."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the roles; null for none."
  type        = string
}

variable "protected" {
  description = "Whether the load balancer is protected from terraform destroy."
  type        = bool
}
