variable "names" {
  description = "Names from resources.json with environment and account filled in."
  type = object({
    buckets           = map(string)
    roles             = map(string)
    keys              = map(string)
    metrics_namespace = string
    streamer = object({
      name              = string
      service           = string
      document          = string
      release_document  = string
      backfill_document = string
    })
  })
}

variable "environment" {
  description = "Name of the environment, for the streamer's settings."
  type        = string
}

variable "account" {
  description = "AWS account ID (12 digits)."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "zone" {
  description = "Availability zone of the instance and its volume."
  type        = string
}

variable "subnet" {
  description = "ID of a subnet in that zone."
  type        = string
}

variable "security_group" {
  description = "ID of a security group without inbound rules."
  type        = string
}

variable "collectors" {
  description = "Collectors by name: their hosts' names, services, sizes, tags and streamer.toml."
  type = map(object({
    source        = string
    config        = string
    name          = string
    service       = string
    instance_type = string
    state_gib     = number
    instance_tags = map(string)
  }))
}

variable "image_id" {
  description = "AMI; null selects the newest Amazon Linux 2023 for arm64."
  type        = string
  default     = null
}

variable "release" {
  description = "Published version that a host installs until another is deployed (`postrank deploy streamer`)."
  type        = string
}

variable "policy" {
  description = "Policy of the streamer's role, as JSON."
  type        = string
}

variable "host_policy" {
  description = "Additional policy of the streamer's host, as JSON."
  type        = string
}

variable "trust" {
  description = "Trust policy of the streamer's role, as JSON."
  type        = string
}

variable "document" {
  description = "SSM document that controls the service, as JSON."
  type        = string
}

variable "release_document" {
  description = "SSM document that installs and activates releases, as JSON."
  type        = string
}

variable "deployer_policy" {
  description = "Policy of the deployer's role, as JSON."
  type        = string
}

variable "deployer_trust" {
  description = "Trust policy of the deployer's role, as JSON."
  type        = string
}

variable "backfill_document" {
  description = "SSM document that runs a backfill, as JSON."
  type        = string
}

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of every role, or null for none."
  type        = string
  default     = null
}
